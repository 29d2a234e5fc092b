// Draws a face from 68 landmarks (iBUG order; x right, y up, unit = distance of the outer eye corners).
"use strict";

const drawFace = (() => {
  const SKIN = "#e8b592", SKIN_LIGHT = "#f6d3b5", SKIN_SHADE = "#c98a68", LINE = "#8a4f38";
  const HAIR = "#3b2a22", HAIR_LIGHT = "#5a4033", LIP_UPPER = "#b4554f", LIP_LOWER = "#cf7068";
  const VIEW = { top: 1.28, bottom: -2.02, width: 2.7 }; // part of the face's plane that fits the screen
  const NECK = [0, -0.75, -0.95]; // where the skull sits on it: what the head turns about
  const EYEBALL = 0.135; // radius
  const REST = { head: [0, 0, 0, 0, 0, 0], gaze: [0, 0, 0, 0] };

  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const mix = (a, b, t) => [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];

  // what turns and shifts points of the head as `head` says: yaw, then pitch, then roll, as seen from far away
  function turner([pitch, yaw, roll, x, y]) {
    const [sx, cx, sy, cy, sz, cz] = [pitch, yaw, roll].flatMap((a) => [Math.sin(a), Math.cos(a)]);
    return ([px, py, pz]) => {
      const [a, b, c] = [px - NECK[0], py - NECK[1], pz - NECK[2]];
      const [u, v] = [a * cz - b * sz, a * sz + b * cz];
      const [w, d] = [v * cx - c * sx, v * sx + c * cx];
      return [NECK[0] + u * cy + d * sy + x, NECK[1] + w + y];
    };
  }

  // Catmull-Rom spline through points, as Bezier curves
  function spline(ctx, points, closed, start = true) {
    const n = points.length;
    const at = (i) => points[closed ? (i + n) % n : Math.max(0, Math.min(n - 1, i))];
    if (start) ctx.moveTo(points[0][0], points[0][1]);
    else ctx.lineTo(points[0][0], points[0][1]);
    for (let i = 0; i < (closed ? n : n - 1); i++) {
      const [p, a, b, q] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
      ctx.bezierCurveTo(a[0] + (b[0] - p[0]) / 6, a[1] + (b[1] - p[1]) / 6,
                        b[0] - (q[0] - a[0]) / 6, b[1] - (q[1] - a[1]) / 6, b[0], b[1]);
    }
  }

  function radial(ctx, x, y, r, inner, outer) {
    const g = ctx.createRadialGradient(x, y, 0, x, y, r);
    g.addColorStop(0, inner);
    g.addColorStop(1, outer);
    return g;
  }

  function vertical(ctx, top, bottom, stops) {
    const g = ctx.createLinearGradient(0, top, 0, bottom);
    stops.forEach((colour, i) => g.addColorStop(i / (stops.length - 1), colour));
    return g;
  }

  // lips that end in one corner each: smooth above and below, pointed at the corners
  function lips(ctx, upper, lower) {
    spline(ctx, upper, false);
    spline(ctx, lower, false, false);
    ctx.closePath();
  }

  // the skull above the jaw of the landmarks
  function skull(points) {
    const left = points[0], right = points[16], found = [];
    const cx = (left[0] + right[0]) / 2, rx = (right[0] - left[0]) / 2, base = (left[1] + right[1]) / 2;
    for (let a = 15; a <= 165; a += 15) {
      const t = a * Math.PI / 180;
      found.push([cx + rx * 1.02 * Math.cos(t), base + 1.05 * Math.sin(t), left[2] + 0.5 * Math.sin(t)]);
    }
    return found;
  }

  function body(ctx, p) {
    const chin = p[8];
    ctx.fillStyle = vertical(ctx, chin[1] - 0.3, VIEW.bottom - 0.3, ["#2f5168", "#203a4c"]);
    ctx.beginPath();
    spline(ctx, [[-2.2, -2.6], [-1.75, -2.03], [-0.95, -1.8], [-0.45, -1.66], [0, -1.78],
                 [0.45, -1.66], [0.95, -1.8], [1.75, -2.03], [2.2, -2.6]], false);
    ctx.lineTo(2.3, -9); // as far down as the tallest screen
    ctx.lineTo(-2.3, -9);
    ctx.fill();
    ctx.fillStyle = vertical(ctx, -1.05, -1.8, [SKIN_SHADE, "#dba582"]);
    ctx.beginPath();
    spline(ctx, [[-0.5, -0.9], [-0.5, -1.4], [-0.56, -1.66], [-0.28, -1.8], [0, -1.88], [0.28, -1.8], [0.56, -1.66],
                 [0.5, -1.4], [0.5, -0.9]], false);
    ctx.fill();
    ctx.fillStyle = "rgba(90,40,25,.28)"; // shadow of the chin
    ctx.beginPath();
    spline(ctx, [[-0.5, -0.95], [-0.42, -1.32], [0, chin[1] - 0.2], [0.42, -1.32], [0.5, -0.95]], false);
    ctx.fill();
  }

  function ear(ctx, p, side) {
    const edge = side < 0 ? p[1] : p[15];
    const x = edge[0], y = edge[1];
    ctx.fillStyle = SKIN;
    ctx.beginPath();
    spline(ctx, [[x - side * 0.06, y + 0.3], [x + side * 0.1, y + 0.32], [x + side * 0.15, y + 0.12],
                 [x + side * 0.1, y - 0.14], [x + side * 0.02, y - 0.3], [x - side * 0.08, y - 0.22]], true);
    ctx.fill();
    ctx.strokeStyle = "rgba(138,79,56,.5)";
    ctx.lineWidth = 0.018;
    ctx.beginPath();
    spline(ctx, [[x + side * 0.03, y + 0.22], [x + side * 0.1, y + 0.16], [x + side * 0.06, y - 0.06],
                 [x + side * 0.02, y - 0.14]], false);
    ctx.stroke();
  }

  function hairBehind(ctx, turn) {
    ctx.fillStyle = HAIR;
    ctx.beginPath();
    spline(ctx, [[-0.9, -0.15], [-0.97, 0.35], [-0.82, 0.85], [-0.45, 1.13], [0, 1.2], [0.45, 1.13], [0.82, 0.85],
                 [0.97, 0.35], [0.9, -0.15]].map(([x, y]) => turn([x, y, -0.85])), false);
    ctx.fill();
  }

  function hairFront(ctx, turn) {
    // the crown lies further back than the forehead's edge
    const back = ([x, y]) => turn([x, y, -0.85]), front = ([x, y]) => turn([x, y, -0.75 + 0.6 * (1 - x * x / 0.7)]);
    ctx.fillStyle = vertical(ctx, 1.2, 0.35, [HAIR_LIGHT, HAIR]);
    ctx.beginPath();
    spline(ctx, [[-0.84, 0.0], [-0.96, 0.38], [-0.82, 0.87], [-0.45, 1.15], [0, 1.22], [0.45, 1.15], [0.82, 0.87],
                 [0.96, 0.38], [0.84, 0.0]].map(back), false);
    spline(ctx, [[0.81, 0.05], [0.78, 0.38], [0.66, 0.62], [0.4, 0.75], [0.05, 0.73], [-0.28, 0.67], [-0.52, 0.68],
                 [-0.7, 0.54], [-0.79, 0.34], [-0.81, 0.05]].map(front), false, false);
    ctx.closePath();
    ctx.fill();
  }

  // above: the outline above the jaw
  function skin(ctx, p, above, turn) {
    const [middle, forehead] = [turn([-0.08, 0, -0.1]), turn([0, 0.45, -0.1])];
    ctx.beginPath();
    spline(ctx, p.slice(0, 17).concat(above), true);
    ctx.fillStyle = radial(ctx, middle[0], middle[1], 1.45, SKIN_LIGHT, SKIN);
    ctx.fill();
    ctx.save();
    ctx.clip();
    for (const side of [-1, 1]) { // rounding of the cheeks, and their colour
      const rim = turn([side, -0.45, -0.6]);
      ctx.fillStyle = radial(ctx, rim[0], rim[1], 0.75, "rgba(170,95,65,.38)", "rgba(170,95,65,0)");
      ctx.fillRect(-2, -2, 4, 4);
      const cheek = mix(p[side < 0 ? 48 : 54], p[side < 0 ? 2 : 14], 0.5);
      ctx.fillStyle = radial(ctx, cheek[0], cheek[1] + 0.12, 0.36, "rgba(220,100,85,.14)", "rgba(220,100,85,0)");
      ctx.fillRect(-2, -2, 4, 4);
      const socket = mix(p[side < 0 ? 36 : 42], p[side < 0 ? 39 : 45], 0.5);
      ctx.fillStyle = radial(ctx, socket[0], socket[1] + 0.03, 0.27, "rgba(150,85,65,.25)", "rgba(150,85,65,0)");
      ctx.fillRect(-2, -2, 4, 4);
    }
    ctx.fillStyle = radial(ctx, forehead[0], forehead[1], 0.6, "rgba(255,240,220,.35)", "rgba(255,240,220,0)");
    ctx.fillRect(-2, -2, 4, 4);
    ctx.fillStyle = radial(ctx, p[57][0], p[57][1] - 0.06, 0.26, "rgba(150,80,60,.28)", "rgba(150,80,60,0)");
    ctx.fillRect(-2, -2, 4, 4);
    ctx.fillStyle = radial(ctx, p[8][0], p[8][1] + 0.12, 0.24, "rgba(255,235,215,.35)", "rgba(255,235,215,0)");
    ctx.fillRect(-2, -2, 4, 4);
    ctx.restore();
  }

  function nose(ctx, p) {
    ctx.fillStyle = "rgba(255,244,228,.45)"; // light on the ridge
    ctx.beginPath();
    spline(ctx, [[p[27][0] - 0.03, p[27][1] + 0.05], [p[29][0] - 0.05, p[29][1]], [p[30][0] - 0.06, p[30][1]],
                 [p[30][0] + 0.05, p[30][1]], [p[29][0] + 0.03, p[29][1]], [p[27][0] + 0.03, p[27][1] + 0.05]], true);
    ctx.fill();
    ctx.fillStyle = "rgba(150,80,55,.16)"; // shade beside it
    ctx.beginPath();
    spline(ctx, [[p[27][0] + 0.08, p[27][1]], [p[28][0] + 0.07, p[28][1]], [p[30][0] + 0.1, p[30][1] + 0.05],
                 [p[35][0] + 0.03, p[35][1] + 0.02], [p[34][0] + 0.02, p[34][1] - 0.02], [p[30][0] + 0.05, p[30][1]]], true);
    ctx.fill();
    ctx.strokeStyle = "rgba(138,79,56,.65)";
    ctx.lineWidth = 0.02;
    ctx.beginPath();
    spline(ctx, [[p[31][0] - 0.05, p[31][1] + 0.1], [p[31][0] - 0.06, p[31][1] + 0.02], p[31], p[32], p[33], p[34], p[35],
                 [p[35][0] + 0.06, p[35][1] + 0.02], [p[35][0] + 0.05, p[35][1] + 0.1]], false);
    ctx.stroke();
    ctx.fillStyle = "rgba(90,40,28,.6)";
    for (const [a, b] of [[31, 32], [35, 34]]) {
      const c = mix(p[a], p[b], 0.62);
      ctx.beginPath();
      ctx.ellipse(c[0], c[1] + 0.006, 0.045, 0.018, 0, 0, 7);
      ctx.fill();
    }
  }

  function brow(ctx, p, indices) {
    const points = indices.map((i) => p[i]);
    const n = points.length - 1;
    const inner = indices[0] === 17 ? n : 0; // thick towards the nose
    const thick = (i) => (i === inner ? 0.02 : 0.008 + 0.034 * (1 - Math.abs(i - inner) / n));
    ctx.fillStyle = ctx.strokeStyle = HAIR;
    ctx.lineWidth = 0.022; // rounds the ends
    ctx.beginPath();
    spline(ctx, points.map(([x, y], i) => [x, y + thick(i)]), false);
    spline(ctx, points.map(([x, y], i) => [x, y - thick(i)]).reverse(), false, false);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }

  // yaw, pitch: of this eye
  function eye(ctx, p, first, yaw, pitch) {
    const [outer, u1, u2, inner, l1, l2] = range(first, first + 5).map((i) => p[i]);
    const centre = mix(mix(outer, inner, 0.5), [(u1[0] + u2[0]) / 2, (u1[1] + u2[1] + l1[1] + l2[1]) / 4], 0.6);
    centre[0] += EYEBALL * Math.sin(yaw);
    centre[1] += EYEBALL * Math.sin(pitch);
    const size = Math.hypot(inner[0] - outer[0], inner[1] - outer[1]);
    const open = Math.max(0, (u1[1] + u2[1] - l1[1] - l2[1]) / 2);
    // the tracker's lids lie on the lash line: open them a little for the drawing, as far as they are open
    const lift = 0.22 * open;
    const upper = [outer, [u1[0], u1[1] + lift], [u2[0], u2[1] + lift], inner];
    const lower = [inner, [l1[0], l1[1] - lift * 0.3], [l2[0], l2[1] - lift * 0.3], outer];
    ctx.save();
    ctx.beginPath();
    lips(ctx, upper, lower);
    ctx.fillStyle = "#f7f3ee";
    ctx.fill();
    ctx.clip();
    const r = size * 0.27;
    ctx.fillStyle = radial(ctx, centre[0], centre[1], r, "#7fb0a8", "#2f5a62");
    ctx.beginPath();
    ctx.arc(centre[0], centre[1], r, 0, 7);
    ctx.fill();
    ctx.fillStyle = "#10181c";
    ctx.beginPath();
    ctx.arc(centre[0], centre[1], r * 0.45, 0, 7);
    ctx.fill();
    ctx.fillStyle = "rgba(255,255,255,.9)";
    ctx.beginPath();
    ctx.arc(centre[0] - r * 0.35, centre[1] + r * 0.4, r * 0.22, 0, 7);
    ctx.fill();
    ctx.strokeStyle = "rgba(60,35,30,.35)"; // shadow of the upper lid
    ctx.lineWidth = 0.035;
    ctx.beginPath();
    spline(ctx, upper, false);
    ctx.stroke();
    ctx.restore();
    ctx.strokeStyle = "#3a241c";
    ctx.lineWidth = 0.024;
    ctx.beginPath();
    spline(ctx, upper, false);
    ctx.stroke();
    ctx.strokeStyle = "rgba(138,79,56,.55)";
    ctx.lineWidth = 0.01;
    ctx.beginPath();
    spline(ctx, lower, false);
    ctx.stroke();
    ctx.strokeStyle = "rgba(138,79,56,.5)"; // crease
    ctx.lineWidth = 0.014;
    ctx.beginPath();
    spline(ctx, upper.map(([x, y], i) => [x, y + (i === 0 || i === 3 ? 0.025 : 0.05)]), false);
    ctx.stroke();
  }

  function mouth(ctx, p) {
    const upperOuter = range(48, 54).map((i) => p[i]);
    const lowerOuter = [54, 55, 56, 57, 58, 59, 48].map((i) => p[i]);
    const upperInner = range(60, 64).map((i) => p[i]);
    const lowerInner = [64, 65, 66, 67, 60].map((i) => p[i]);
    const gap = Math.max(0, p[62][1] - p[66][1]);
    const left = p[60], right = p[64], middle = p[62];

    ctx.save(); // the inside: dark, teeth of the upper jaw, tongue
    ctx.beginPath();
    lips(ctx, upperInner, lowerInner);
    ctx.fillStyle = "#3a1215";
    ctx.fill();
    ctx.clip();
    ctx.fillStyle = "#a8484b";
    ctx.beginPath();
    ctx.ellipse(p[66][0], p[66][1] - 0.03, Math.abs(right[0] - left[0]) * 0.3, 0.03 + gap * 0.38, 0, 0, 7);
    ctx.fill();
    const teeth = middle[1] - 0.012 - Math.min(0.055, gap * 0.42);
    ctx.fillStyle = vertical(ctx, middle[1] + 0.03, teeth, ["#d9cfc4", "#f6f1ea"]);
    ctx.beginPath();
    spline(ctx, [[left[0] + 0.03, middle[1] + 0.06], [left[0] + 0.05, teeth + 0.02], [middle[0] - 0.1, teeth],
                 [middle[0], teeth - 0.004], [middle[0] + 0.1, teeth], [right[0] - 0.05, teeth + 0.02],
                 [right[0] - 0.03, middle[1] + 0.06]], false);
    ctx.fill();
    ctx.restore();

    ctx.fillStyle = vertical(ctx, p[51][1] + 0.02, p[62][1] - 0.02, [LIP_LOWER, LIP_UPPER, "#964440"]);
    ctx.beginPath();
    lips(ctx, upperOuter, upperInner.slice().reverse());
    ctx.fill();
    ctx.fillStyle = vertical(ctx, p[66][1] + 0.02, p[57][1] - 0.02, ["#b85b55", "#d9827a", LIP_LOWER]);
    ctx.beginPath();
    lips(ctx, lowerOuter, lowerInner.slice().reverse());
    ctx.fill();
    const shine = mix(p[66], p[57], 0.45);
    ctx.fillStyle = radial(ctx, shine[0], shine[1], 0.1, "rgba(255,235,230,.4)", "rgba(255,235,230,0)");
    ctx.beginPath();
    ctx.ellipse(shine[0], shine[1], 0.12, 0.028, 0, 0, 7);
    ctx.fill();
    ctx.strokeStyle = "rgba(95,32,34,.75)"; // where the lips meet
    ctx.lineWidth = 0.012;
    ctx.beginPath();
    spline(ctx, [p[48], ...upperInner, p[54]], false);
    ctx.stroke();
    for (const [corner, side] of [[p[48], -1], [p[54], 1]]) {
      ctx.fillStyle = radial(ctx, corner[0] + side * 0.03, corner[1], 0.09, "rgba(110,50,40,.12)", "rgba(110,50,40,0)");
      ctx.fillRect(corner[0] - 0.1, corner[1] - 0.1, 0.2, 0.2);
    }
  }

  // ctx: canvas context of width x height pixels; points: 68 of [x, y, z]; head and gaze as in the
  // frames: the head turns, nods, tilts and shifts, the eyes move in it
  return function drawFace(ctx, width, height, points, { head, gaze } = REST) {
    const scale = Math.min(height / (VIEW.top - VIEW.bottom), width / VIEW.width);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.setTransform(scale, 0, 0, -scale, width / 2, height / 2 + scale * (VIEW.top + VIEW.bottom) / 2);
    ctx.lineCap = ctx.lineJoin = "round";
    const turn = turner(head);
    const p = points.map(turn);
    hairBehind(ctx, turn);
    body(ctx, p);
    ear(ctx, p, -1);
    ear(ctx, p, 1);
    skin(ctx, p, skull(points).map(turn), turn);
    hairFront(ctx, turn);
    nose(ctx, p);
    eye(ctx, p, 36, gaze[2], gaze[3]); // the right one, at the viewer's left
    eye(ctx, p, 42, gaze[0], gaze[1]);
    brow(ctx, p, range(17, 21));
    brow(ctx, p, range(22, 26));
    mouth(ctx, p);
  };
})();

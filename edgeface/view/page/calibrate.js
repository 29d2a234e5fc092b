// Shows a sentence with the settings of the sliders. All computing is the server's: this draws what it sends.
"use strict";

(() => {
  const POINTS = 68 * 3, SHAPES = 52;
  const KEYS = ["gain", "offset", "min", "max"];
  const PLAIN = { gain: 100, offset: 0, min: 0, max: 100 };
  const GROUPS = [["Mouth and jaw", /^(mouth|jaw|tongue)/], ["Eyes", /^eye/], ["Brows, cheeks and nose", /./]];
  const RESTS = 0.05; // a blendshape that stays below hardly moves in this sentence

  const $ = (id) => document.getElementById(id);
  const voice = new Audio();
  let state = null; // of the server
  let settings = null; // { strength, shapes: { name: { gain, ... } } }
  let saved = "";
  let before = null, after = null; // { points, shapes } of all frames
  const rows = new Map();

  const frameOf = (faces, k) => ({
    points: faces.points.subarray(k * POINTS, (k + 1) * POINTS),
    shapes: faces.shapes.subarray(k * SHAPES, (k + 1) * SHAPES),
  });
  const copy = (value) => JSON.parse(JSON.stringify(value));
  const isPlain = (shape) => KEYS.every((key) => shape[key] === PLAIN[key]);
  const shapeOf = (name) => settings.shapes[name] || PLAIN;

  // --- the server

  function wanted() {
    const shapes = Object.fromEntries(Object.entries(settings.shapes).filter(([, shape]) => !isPlain(shape)));
    return JSON.stringify({ motion: { strength: settings.strength, shapes } });
  }

  async function ask(what, body) {
    const reply = await fetch(what, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!reply.ok) throw new Error(await reply.text());
    return reply;
  }

  async function perform(body) {
    const values = new Float32Array(await (await ask("frames", body)).arrayBuffer());
    const count = state.frames * POINTS;
    return { points: values.subarray(0, count), shapes: values.subarray(count) };
  }

  let busy = false, stale = false;
  async function update() { // one request at a time; what changes meanwhile is asked for next
    $("save").disabled = !state.file || wanted() === saved;
    $("revert").disabled = wanted() === saved;
    stale = true;
    if (busy) return;
    busy = true;
    while (stale) {
      stale = false;
      const body = wanted();
      try {
        const [faces, yaml] = await Promise.all([perform(body), ask("yaml", body).then((r) => r.text())]);
        after = faces;
        $("yaml").textContent = yaml || "# nothing differs from the defaults\n";
        say("");
        drawLips();
      } catch (error) { say(error.message, true); }
    }
    busy = false;
  }

  function say(text, bad = false) {
    const where = state.file
      ? `Saves motion.strength and motion.shapes in ${state.file}`
      : "There is no configuration file to save to: start `edgeface calibrate --config FILE`, or copy the YAML.";
    $("message").textContent = text || where;
    $("message").classList.toggle("bad", bad);
  }

  // --- controls

  function element(kind, properties, ...children) {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  }

  function change(name, key, value) {
    const names = [name];
    const other = name.endsWith("Left") ? name.replace(/Left$/, "Right") : name.replace(/Right$/, "Left");
    if ($("together").checked && other !== name && rows.has(other)) names.push(other);
    for (const each of names) {
      settings.shapes[each] = { ...shapeOf(each), [key]: value };
      show(each);
    }
    update();
  }

  function number(key, name, span) {
    const input = element("input", { type: "number", min: span[0], max: span[1], step: 1, required: true });
    input.setAttribute("aria-label", `${key} of ${name} in percent`);
    input.addEventListener("input", () => { if (input.validity.valid) change(name, key, input.valueAsNumber); });
    return input;
  }

  function makeRow(name, most) {
    const inputs = Object.fromEntries(KEYS.map((key) => [key, number(key, name, state.spans[key])]));
    const slider = element("input", { type: "range", min: 0, max: 200 });
    slider.setAttribute("aria-label", `gain of ${name}`);
    slider.addEventListener("input", () => change(name, "gain", slider.valueAsNumber));
    const fill = element("b", {}), mark = element("u", {});
    const meter = element("span", { className: "meter", title: "bar: with your settings; line: as it is" }, fill, mark);
    const label = element("span", { className: "name", textContent: name, title: name });
    const reset = element("button", { textContent: "×", title: "back to 100 %" });
    reset.addEventListener("click", () => { for (const key of KEYS) change(name, key, PLAIN[key]); });
    const line = element("div", { className: "row" }, label, meter, slider, ...KEYS.map((key) => inputs[key]), reset);
    line.dataset.shape = name;
    if (most < RESTS) {
      line.classList.add("rests");
      label.title = `${name} hardly moves in this sentence`;
    }
    rows.set(name, { line, inputs, slider, fill, mark });
    return line;
  }

  function makeRows() {
    const left = state.names.map((name, i) => ({ name, most: state.most[i] }));
    GROUPS.forEach(([title, pattern], i) => {
      const members = left.filter(({ name }) => pattern.test(name));
      members.forEach((member) => left.splice(left.indexOf(member), 1));
      const pair = (name) => name.replace(/(Left|Right)$/, "");
      const liveliest = (name) => Math.max(...members.filter((m) => pair(m.name) === pair(name)).map((m) => m.most));
      members.sort((a, b) => liveliest(b.name) - liveliest(a.name) || pair(a.name).localeCompare(pair(b.name)));
      const moving = members.filter(({ most }) => most >= RESTS).length;
      const summary = element("summary", {}, title, " ", element("small", { textContent: `${moving} of ${members.length} move in this sentence` }));
      const group = element("details", { className: "group", open: i < 2 }, summary);
      group.append(...members.map(({ name, most }) => makeRow(name, most)));
      $("shapes").append(group);
    });
  }

  function show(name) {
    const { line, inputs, slider } = rows.get(name), shape = shapeOf(name);
    for (const key of KEYS) if (inputs[key].valueAsNumber !== shape[key]) inputs[key].value = shape[key];
    slider.value = shape.gain;
    line.classList.toggle("changed", !isPlain(shape));
  }

  function showAll() {
    $("strength-range").value = $("strength-number").value = settings.strength;
    rows.forEach((_, name) => show(name));
  }

  for (const id of ["strength-range", "strength-number"]) {
    $(id).addEventListener("input", () => {
      if (!$(id).validity.valid) return;
      settings.strength = $(id).valueAsNumber;
      $("strength-range").value = $("strength-number").value = settings.strength;
      update();
    });
  }
  $("search").addEventListener("input", () => {
    const text = $("search").value.toLowerCase();
    for (const [name, { line }] of rows) line.hidden = !name.toLowerCase().includes(text);
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".row:not([hidden])");
      if (text) group.open = true;
    }
  });
  $("reset").addEventListener("click", () => { settings = { strength: 100, shapes: {} }; showAll(); update(); });
  $("revert").addEventListener("click", () => { settings = copy(JSON.parse(saved).motion); showAll(); update(); });
  $("save").addEventListener("click", async () => {
    const body = wanted();
    try {
      const next = await (await ask("save", body)).text();
      saved = body;
      await update();
      say(`Saved in ${state.file}. To take it over: ${next}`);
    } catch (error) { say(error.message, true); }
  });

  // --- the sentence

  $("play").addEventListener("click", () => (voice.paused ? voice.play() : voice.pause()));
  voice.addEventListener("play", () => { $("play").textContent = "Pause"; });
  voice.addEventListener("pause", () => { $("play").textContent = "Play"; });
  voice.loop = true;
  const seconds = () => state.frames / state.fps;
  $("seek").addEventListener("input", () => { voice.currentTime = $("seek").value / 1000 * seconds(); });
  $("lips").addEventListener("click", (event) => {
    voice.currentTime = event.offsetX / $("lips").clientWidth * seconds();
  });

  function sized(canvas) {
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    return canvas.getContext("2d");
  }

  function faceAt(faces, position) { // between two frames
    const k = Math.min(state.frames - 1, Math.floor(position)), next = Math.min(state.frames - 1, k + 1);
    const a = frameOf(faces, k).points, b = frameOf(faces, next).points, t = Math.min(1, position - k);
    return Array.from({ length: 68 }, (_, i) => [0, 1, 2].map((c) => a[3 * i + c] + t * (b[3 * i + c] - a[3 * i + c])));
  }

  function poseAt(position) { // of the head and the eyes, which no slider changes
    const k = Math.min(state.frames - 1, Math.floor(position)), next = Math.min(state.frames - 1, k + 1);
    const a = state.poses[k], b = state.poses[next], t = Math.min(1, position - k);
    const pose = a.map((value, i) => value + t * (b[i] - value));
    return { head: pose.slice(0, 6), gaze: pose.slice(6) };
  }

  const gapAt = (faces, k) => Math.max(0, faces.points[k * POINTS + 62 * 3 + 1] - faces.points[k * POINTS + 66 * 3 + 1]);

  function drawLips() {
    const canvas = $("lips"), ctx = sized(canvas), { width, height } = canvas;
    ctx.clearRect(0, 0, width, height);
    let most = 0.2;
    for (let k = 0; k < state.frames; k++) most = Math.max(most, gapAt(before, k), gapAt(after, k));
    for (const [faces, colour, filled] of [[before, "#7d8fa1", true], [after, "#5fd38d", false]]) {
      ctx.beginPath();
      ctx.moveTo(0, height);
      for (let k = 0; k < state.frames; k++) {
        ctx.lineTo(k / (state.frames - 1) * width, height - 2 - gapAt(faces, k) / most * (height - 8));
      }
      ctx.lineTo(width, height);
      ctx.fillStyle = `${colour}55`;
      ctx.strokeStyle = colour;
      ctx.lineWidth = 1.5 * (window.devicePixelRatio || 1);
      if (filled) ctx.fill(); else ctx.stroke();
    }
  }

  let drawnAt = -1;
  function draw() {
    requestAnimationFrame(draw);
    const position = Math.max(0, Math.min(state.frames - 1, voice.currentTime * state.fps));
    for (const [id, faces] of [["before", before], ["after", after]]) {
      const ctx = sized($(id));
      drawFace(ctx, $(id).width, $(id).height, faceAt(faces, position), poseAt(position));
    }
    const k = Math.floor(position), was = frameOf(before, k).shapes, is = frameOf(after, k).shapes;
    state.names.forEach((name, i) => {
      const { fill, mark } = rows.get(name);
      fill.style.transform = `scaleX(${is[i].toFixed(3)})`;
      mark.style.left = `calc(${(100 * was[i]).toFixed(1)}% - 1px)`;
    });
    if (document.activeElement !== $("seek")) $("seek").value = 1000 * position / (state.frames - 1);
    $("time").textContent = `${voice.currentTime.toFixed(1)} s`;
    if (drawnAt !== k || $("lips").width !== Math.round($("lips").clientWidth * (window.devicePixelRatio || 1))) {
      drawnAt = k;
      drawLips();
      const ctx = $("lips").getContext("2d"), x = position / (state.frames - 1) * $("lips").width;
      ctx.fillStyle = "#fff";
      ctx.fillRect(x - 1, 0, 2, $("lips").height);
    }
  }

  async function begin() {
    state = await (await fetch("state")).json();
    settings = copy({ strength: state.strength, shapes: state.shapes });
    saved = wanted();
    makeRows();
    showAll();
    voice.src = URL.createObjectURL(await (await fetch("voice.flac")).blob());
    before = after = await perform(JSON.stringify({ motion: {} }));
    await update();
    window.calibration = { // for tests and the curious
      settings: () => copy(settings),
      gap: (which, k) => gapAt(which === "before" ? before : after, k),
      shape: (which, k, name) => frameOf(which === "before" ? before : after, k).shapes[state.names.indexOf(name)],
      idle: () => !busy,
    };
    draw();
  }
  begin().catch((error) => { $("message").textContent = `The page cannot begin: ${error.message}`; });
})();

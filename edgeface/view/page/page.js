// Takes frames from the server, eases the drawn face towards the newest one, and draws it.
"use strict";

(() => {
  const canvas = document.getElementById("face");
  const status = document.getElementById("status");
  const EASE_MS = 14; // smooths 25 frames a second on a 60 Hz screen at little delay
  const REST_MS = 120;
  const LAMPS = { running: "#5fd38d", degraded: "#ffb547", waiting: "#ffb547", starting: "#8ab" };

  let neutral = null;
  let target = null; // frame to show, null: the neutral face
  let shown = null; // landmarks
  const pose = { head: [0, 0, 0, 0, 0, 0], gaze: [0, 0, 0, 0] };
  const rest = { head: pose.head.slice(), gaze: pose.gaze.slice() };
  let latest = null;
  let arrivals = [];
  let last = performance.now();
  let listener = () => {}; // of another face
  const stats = { received: 0, drawn: 0, gaps: 0, index: -1, covered: false };
  stats.listen = (take) => { listener = take; };
  window.edgeface = stats; // for tests and the curious
  window.shownLipGap = () => (shown ? Math.hypot(shown[62][0] - shown[66][0], shown[62][1] - shown[66][1]) : 0);

  fetch("neutral").then((r) => r.json()).then((face) => {
    neutral = face;
    shown = shown || face.map((p) => p.slice());
  });

  const frames = new EventSource("frames");
  frames.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    listener(frame);
    if (frame.names) return; // what the frames' blendshapes are
    latest = frame.landmarks ? frame : null; // null: there is no writer
    target = latest;
    if (!latest) return;
    if (stats.index >= 0 && frame.index > stats.index + 1) stats.gaps += frame.index - stats.index - 1;
    stats.index = frame.index;
    stats.received++;
    arrivals.push(performance.now());
  };
  frames.onerror = () => { latest = null; target = null; listener({ state: "gone" }); };

  function say() {
    const now = performance.now();
    arrivals = arrivals.filter((t) => now - t < 2000);
    if (latest && arrivals.length) {
      const fps = 1000 * (arrivals.length - 1) / Math.max(1, arrivals[arrivals.length - 1] - arrivals[0]);
      const latency = latest.publish_ms - latest.audio_ms;
      status.textContent = `${latest.state}  ${fps.toFixed(0)} fps  ${latency.toFixed(0)} ms`;
      status.style.setProperty("--lamp", LAMPS[latest.state] || "#888");
    } else {
      target = null; // a frame of two seconds ago is no expression
      status.textContent = "no voice";
      status.style.setProperty("--lamp", "#888");
    }
  }
  setInterval(say, 500);

  function draw(now) {
    requestAnimationFrame(draw);
    if (!shown || stats.covered) return; // an avatar is shown instead
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(innerWidth * scale), height = Math.round(innerHeight * scale);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const goal = target ? target.landmarks : neutral || shown;
    const part = 1 - Math.exp(-(now - last) / (target ? EASE_MS : REST_MS));
    last = now;
    for (let i = 0; i < 68; i++)
      for (let k = 0; k < 3; k++) shown[i][k] += part * (goal[i][k] - shown[i][k]);
    for (const [field, values] of Object.entries(pose))
      for (let i = 0; i < values.length; i++) values[i] += part * ((target || rest)[field][i] - values[i]);
    drawFace(canvas.getContext("2d"), width, height, shown, pose);
    stats.drawn++;
  }
  requestAnimationFrame(draw);
})();

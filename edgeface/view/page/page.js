// The page: takes frames from the server, and shows the face that they say, drawn or as an avatar.

import { Face } from "./web/face.js";
import { Backdrop } from "./backdrop.js";
import { Detail } from "./detail.js";
import { Drawn } from "./drawn.js";
import { Motion } from "./motion.js";
import { openStage } from "./stage.js";
import { Stream, ask } from "./stream.js";

const LAMPS = { running: "#5fd38d", degraded: "#ffb547", waiting: "#ffb547", starting: "#8ab" };
const SPOKEN_MS = 2000; // whose frames the status is about
const options = new URLSearchParams(location.search);
const kiosk = options.has("kiosk");
const $ = (id) => document.getElementById(id);

const face = new Face(null);
const page = (window.edgeface = { face, take, received: 0, drawn: 0, gaps: 0, index: -1 }); // for tests and the curious
let latest = null; // frame; null: there is no writer
const arrivals = []; // of the frames of the last seconds
let edition = null; // of the page: another one has to be loaded

function take(message) {
  if (edition && message.edition && message.edition !== edition) reload();
  if (message.caption) write(message.caption);
  if (message.landmarks) message.landmarks = message.landmarks.flat();
  face.take(message);
  if (message.names) return; // what the frames' blendshapes are
  latest = message.landmarks ? message : null;
  if (!latest) return;
  if (page.index >= 0 && message.index > page.index + 1) page.gaps += message.index - page.index - 1;
  page.index = message.index;
  page.received++;
  const now = performance.now();
  arrivals.push(now);
  while (now - arrivals[0] > SPOKEN_MS) arrivals.shift();
}

function lose() {
  latest = null;
  face.take({ state: "gone" });
}

// only once the server answers: a browser's own page of errors would stay
function reload() {
  edition = null;
  ask("page.json").then(() => location.reload());
}

function write({ text, listening }) {
  $("words").hidden = !text;
  if ($("words").textContent !== text) $("words").textContent = text;
  $("listening").toggleAttribute("hidden", !listening);
}

function say(sentence) {
  $("notices").append(Object.assign(document.createElement("div"), { textContent: sentence }));
  console.warn(`edgeface: ${sentence}`);
}

function report() {
  const count = arrivals.length, newest = arrivals[count - 1];
  const shown = latest && performance.now() - newest < SPOKEN_MS;
  const fps = shown && 1000 * (count - 1) / Math.max(1, newest - arrivals[0]);
  $("status").textContent = shown
    ? `${latest.state}  ${fps.toFixed(0)} fps  ${(latest.publish_ms - latest.audio_ms).toFixed(0)} ms` : "no voice";
  $("status").style.setProperty("--lamp", shown && LAMPS[latest.state] || "#888");
}

async function stayAwake() {
  // where the browser refuses, the desktop's settings hold
  if (kiosk && !document.hidden && navigator.wakeLock)
    page.wakeLock = await navigator.wakeLock.request("screen").catch(() => null);
}

async function begin() {
  document.documentElement.classList.toggle("kiosk", kiosk);
  $("status").hidden = kiosk && !options.has("status");
  const { neutral, avatar, staging, notices = [], ...described } = await ask("page.json");
  edition = described.edition;
  notices.forEach(say);
  const zeros = (length) => new Array(length).fill(0);
  const rest = { blendshapes: zeros(52), head: zeros(6), gaze: zeros(4), landmarks: neutral.flat() };
  const motion = (page.motion = new Motion(face, rest));
  const backdrop = new Backdrop($("background"), staging.background);
  const drawn = new Drawn($("face"));
  let painter = drawn, last = performance.now();
  const detail = (page.detail = new Detail(last));

  function fit() {
    const ratio = devicePixelRatio || 1;
    detail.fit(innerHeight * ratio);
    backdrop.fit(Math.round(innerWidth * ratio), Math.round(innerHeight * ratio));
    painter.fit(innerWidth, innerHeight, detail.share * ratio);
  }
  function show(next) {
    painter = next;
    backdrop.glow = next.own ? next.own.GLOW : backdrop.plain;
    $("face").hidden = painter !== drawn;
    $("stage").hidden = painter === drawn;
    fit();
  }
  function giveWay() { // nobody asked for this head
    console.info("edgeface: too slow for the head; the drawn face stays");
    page.stage = null;
    detail.look(performance.now());
    show(drawn);
  }
  page.draw = (now) => {
    const shown = (page.shown = motion.now());
    painter.draw(shown, (now - last) / 1000);
    last = now;
    page.drawn++;
  };
  function loop(now) {
    requestAnimationFrame(loop);
    if (detail.seen(now)) fit();
    if (detail.hopeless && painter === page.stage && avatar.own === "offered") giveWay();
    page.draw(now);
  }
  addEventListener("resize", fit);
  addEventListener("contextmenu", (event) => { if (kiosk) event.preventDefault(); });
  addEventListener("visibilitychange", () => { detail.look(performance.now()); stayAwake(); });
  show(drawn);
  requestAnimationFrame(loop);
  stayAwake();
  setInterval(report, 500);
  new Stream(take, lose);
  backdrop.load().then(fit, () => say("the background's picture cannot be shown"));
  if (!avatar) return;
  const stage = await openStage($("stage"), avatar, staging);
  if (!stage) return;
  page.stage = stage;
  stage.draw(motion.now(), 0); // compiles what it needs, which takes its time
  detail.look(performance.now());
  $("stage").addEventListener("webglcontextlost", () => show(drawn));
  $("stage").addEventListener("webglcontextrestored", () => { if (page.stage) show(stage); });
  show(stage);
}

begin().catch((error) => say(`the avatar cannot be shown: ${error.message}`));

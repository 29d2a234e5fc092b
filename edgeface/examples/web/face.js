// The face of `edgeface bridge web`, for a page that draws at the screen's rate.

const STALE_MS = 500;
const JUMP_MS = 60; // of the delay: another look-ahead, another source
const DRIFT_MS = 0.02; // a frame: how far the clocks of two machines may drift apart

export class Face {
  // url: where `edgeface bridge web` says that the frames are; null: they come through take()
  constructor(url = "http://127.0.0.1:8069/frames") {
    this.time = null; // of the face last shown, in ms on the clock of `audio_ms`
    this.names = [];
    this.frameMs = 40;
    this.frames = []; // the two newest
    this.delay = Infinity; // from sound to page, in ms, as far as the clocks agree
    if (!url) return;
    const source = new EventSource(url); // reconnects by itself
    source.onmessage = (event) => this.take(JSON.parse(event.data));
    source.onerror = () => { this.frames = []; };
  }

  take(message) {
    if (message.names) {
      this.names = message.names;
      this.frameMs = message.frame_ms;
      return;
    }
    const before = this.frames[this.frames.length - 1];
    if (message.state === "gone" || (before && message.audio_ms <= before.audio_ms)) {
      this.frames = []; // no writer, or a new one
      this.delay = Infinity;
    }
    if (message.state === "gone") return;
    // the least delay from sound to page: what comes later than that is late
    const delay = performance.now() - message.audio_ms;
    const least = Math.min(this.delay + DRIFT_MS, delay);
    this.delay = delay - least < JUMP_MS ? least : delay;
    this.frames = [...this.frames.slice(-1), message];
  }

  // {name: value} of all blendshapes, between the two newest frames, which costs one frame of delay;
  // null while there is no face to show
  shapes() {
    const frame = this.frame();
    return frame && Object.fromEntries(this.names.map((name, i) => [name, frame.blendshapes[i]]));
  }

  // pitch, yaw, roll in rad, x, y, z in distances of the outer eye corners, likewise; in three.js:
  // bone.rotation.set(pitch, yaw, roll, "YXZ")
  head() {
    const frame = this.frame();
    return frame && frame.head;
  }

  // all of the frame now, as arrays: `blendshapes`, `head` and `gaze`
  frame() {
    if (this.frames.length < 2) return null;
    const [a, b] = this.frames;
    const due = performance.now() - this.delay - this.frameMs;
    if (due > b.audio_ms + STALE_MS) return null;
    this.time = Math.min(Math.max(due, a.audio_ms), b.audio_ms);
    return between(a, b, this.time);
  }
}


// the frame at a time between two of them: those of its fields that are named
export function between(a, b, time, fields = ["blendshapes", "head", "gaze"]) {
  const part = (time - a.audio_ms) / (b.audio_ms - a.audio_ms);
  const mix = (name) => (a[name] || []).map((value, i) => value + part * (b[name][i] - value));
  return Object.fromEntries(fields.map((name) => [name, mix(name)]));
}

// A name of a morph target without what spellings differ in: `jawOpen`, `JawOpen`, `blendShape1.jawOpen`;
// `eyeBlinkLeft`, `eyeBlink_L`, `eyeBlink.L`.
export function plain(name) {
  return name
    .replace(/[._ ]?L$|[._ ]l$/, "Left").replace(/[._ ]?R$|[._ ]r$/, "Right")
    .replace(/^.*[.:]/, "").replace(/[_ ]/g, "").toLowerCase();
}

// Influences of a three.js mesh by ARKit name, whatever the model calls them.
export function morphs(mesh, names) {
  const places = new Map(Object.entries(mesh.morphTargetDictionary || {})
    .map(([name, place]) => [plain(name), place]));
  return new Map(names.filter((name) => places.has(plain(name)))
    .map((name) => [name, places.get(plain(name))]));
}

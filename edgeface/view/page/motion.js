// The face that a screen shows now: between the frames of a `Face`, and without a jump where these are
// late, missing, or those of a new writer. What would jump is carried over, and fades away.

import { between } from "./web/face.js";

const FADE_MS = 80;

export class Motion {
  // rest: what is shown without frames, and which of their fields are shown: { blendshapes: [52], ... }
  constructor(face, rest) {
    this.face = face;
    this.rest = rest;
    this.last = performance.now();
    this.before = { frames: [], delay: 0, shown: false };
    this.carried = copied(rest, () => 0);
  }

  // as `rest`
  now() {
    const now = performance.now(), { face, before } = this;
    const shown = face.frame() !== null;
    const goal = shown ? this.at(face.frames, face.time) : this.rest;
    if (face.frames !== before.frames || shown !== before.shown) {
      // what the frames before this change would show now
      const due = now - before.delay - face.frameMs;
      const held = before.shown ? this.at(before.frames, due) : this.rest;
      for (const name in this.carried)
        this.carried[name].forEach((_, i) => { this.carried[name][i] += held[name][i] - goal[name][i] || 0; });
    }
    this.before = { frames: face.frames, delay: face.delay, shown };
    const part = Math.exp((this.last - now) / FADE_MS);
    this.last = now;
    const sum = copied(this.rest, (_, name, i) => (goal[name][i] || 0) + this.carried[name][i]);
    for (const name in this.carried) this.carried[name].forEach((_, i) => { this.carried[name][i] *= part; });
    return sum;
  }

  at([a, b], time) {
    return between(a, b, Math.min(Math.max(time, a.audio_ms), b.audio_ms), Object.keys(this.rest));
  }
}

function copied(fields, value) {
  return Object.fromEntries(Object.entries(fields).map(
    ([name, values]) => [name, values.map((each, i) => value(each, name, i))]));
}

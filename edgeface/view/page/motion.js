// The face that a screen shows now: between the frames of a `Face`, and without a jump where these are
// late, missing, or those of a new writer. What would jump is carried over, and fades away.

import { between } from "./web/face.js";

const FADE_MS = 80;
const LENGTHS = { blendshapes: 52, head: 6, gaze: 4 };

export class Motion {
  constructor(face) {
    this.face = face;
    this.last = performance.now();
    this.before = { frames: [], delay: 0, shown: false };
    this.carried = rest();
  }

  // { blendshapes: [52], head: [6], gaze: [4] }
  now() {
    const now = performance.now(), { face, before } = this;
    const frame = face.frame(), goal = frame || rest();
    if (face.frames !== before.frames || Boolean(frame) !== before.shown) {
      // what the frames before this change would show now
      const [a, b] = before.frames;
      const due = now - before.delay - face.frameMs;
      const held = before.shown ? between(a, b, Math.min(Math.max(due, a.audio_ms), b.audio_ms)) : rest();
      this.carry((name, i) => held[name][i] - goal[name][i]);
    }
    this.before = { frames: face.frames, delay: face.delay, shown: Boolean(frame) };
    const part = Math.exp((this.last - now) / FADE_MS);
    this.last = now;
    const shown = rest();
    for (const name in shown)
      shown[name].forEach((_, i) => {
        shown[name][i] = (goal[name][i] || 0) + this.carried[name][i];
        this.carried[name][i] *= part;
      });
    return shown;
  }

  carry(difference) {
    for (const name in this.carried)
      this.carried[name].forEach((_, i) => { this.carried[name][i] += difference(name, i) || 0; });
  }
}

function rest() {
  return Object.fromEntries(
    Object.entries(LENGTHS).map(([name, length]) => [name, new Array(length).fill(0)]));
}

// How many pixels this machine draws in time: fewer where pictures come late, and more again some time later.

const SLOW_MS = 45; // from picture to picture
const GOAL_MS = 30, HOPELESS_MS = 150;
const LOOKED_AT_MS = 2000, LOOKED_AT = 5; // and pictures, before anything is changed
const FEWEST_LINES = 540; // with fewer a face looks broken, however many pictures there are
const STEP = 0.8;
const PATIENCE_MS = 60e3; // before more pixels are tried again; twice as long after each time that was too early
const LONGEST_MS = 24 * 3600e3;

export class Detail {
  constructor(now) {
    this.share = 1; // of the pixels each way
    this.fewest = 1;
    this.hopeless = false; // fewer pixels would not help
    this.patience = PATIENCE_MS;
    this.changed = now;
    this.look(now);
  }

  // of a picture that would have so many lines
  fit(lines) {
    this.fewest = Math.min(1, FEWEST_LINES / lines);
    this.share = Math.max(this.share, this.fewest);
  }

  // begins to look, also after a pause
  look(now) {
    this.since = now;
    this.pictures = 0;
  }

  // now: of a picture, in ms; whether `share` has changed
  seen(now) {
    const took = now - this.since;
    if (++this.pictures < LOOKED_AT || took < LOOKED_AT_MS) return false;
    const each = took / this.pictures, before = this.share;
    this.look(now);
    this.hopeless = each > HOPELESS_MS || (each > SLOW_MS && before <= this.fewest);
    if (each > SLOW_MS) {
      if (this.raised) this.patience = Math.min(2 * this.patience, LONGEST_MS);
      // the cost goes with the number of pixels, at most
      this.share = Math.max(this.fewest, before * Math.max(0.5, Math.min(STEP, Math.sqrt(GOAL_MS / each))));
      this.raised = false;
    } else if (before < 1 && now - this.changed > this.patience) {
      this.share = Math.min(1, before / STEP);
      this.raised = true;
    }
    if (this.share !== before) this.changed = now;
    return this.share !== before;
  }
}

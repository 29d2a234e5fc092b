// What is behind the head: a colour, a picture that fills the screen, or a light in the dark.

const GLOW = { at: [0.5, 0.42], colours: [[0, "#4b6274"], [1, "#18222d"]] }; // a circle

export class Backdrop {
  // settings: { colour, picture } of the staging
  constructor(canvas, settings) {
    this.canvas = canvas;
    this.settings = settings;
    this.image = null;
    this.glow = this.plain = GLOW; // an own head has another
  }

  async load() {
    if (!this.settings.picture) return;
    const image = new Image();
    image.src = "background";
    await image.decode();
    this.image = image;
  }

  fit(width, height) {
    Object.assign(this.canvas, { width, height });
    this.paint(this.canvas.getContext("2d"), width, height);
  }

  paint(ctx, width, height) {
    const { image, settings } = this;
    if (settings.colour) {
      ctx.fillStyle = settings.colour;
      ctx.fillRect(0, 0, width, height);
    } else this.shine(ctx, width, height);
    if (!image) return;
    const scale = Math.max(width / image.width, height / image.height);
    const [w, h] = [scale * image.width, scale * image.height];
    ctx.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
  }

  shine(ctx, width, height) {
    const { at, radii, colours } = this.glow, widest = 0.75 * Math.max(width, height);
    ctx.save();
    ctx.translate(at[0] * width, at[1] * height);
    ctx.scale(...(radii ? [radii[0] * width, radii[1] * height] : [widest, widest]));
    ctx.fillStyle = ctx.createRadialGradient(0, 0, 0, 0, 0, 1);
    colours.forEach(([part, colour]) => ctx.fillStyle.addColorStop(part, colour));
    ctx.fillRect(-4, -4, 8, 8);
    ctx.restore();
  }
}

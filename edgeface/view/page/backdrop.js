// What is behind the head: a colour, a picture that fills the screen, or a light in the dark.

export class Backdrop {
  // settings: { colour, picture } of the staging
  constructor(canvas, settings) {
    this.canvas = canvas;
    this.settings = settings;
    this.image = null;
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
    if (settings.colour) ctx.fillStyle = settings.colour;
    else {
      const light = [width / 2, height * 0.42];
      ctx.fillStyle = ctx.createRadialGradient(...light, 0, ...light, Math.max(width, height) * 0.75);
      ctx.fillStyle.addColorStop(0, "#4b6274");
      ctx.fillStyle.addColorStop(1, "#18222d");
    }
    ctx.fillRect(0, 0, width, height);
    if (!image) return;
    const scale = Math.max(width / image.width, height / image.height);
    const [w, h] = [scale * image.width, scale * image.height];
    ctx.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
  }
}

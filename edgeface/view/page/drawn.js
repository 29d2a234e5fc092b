// The face that is drawn from landmarks alone, for whatever has no avatar or cannot show it.

/* global drawFace */

export class Drawn {
  constructor(canvas) {
    this.canvas = canvas;
  }

  // ratio: pixels of the picture per pixel of width and height
  fit(width, height, ratio) {
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  }

  // face: { landmarks: [204], head, gaze }
  draw({ landmarks, head, gaze }) {
    const { canvas } = this, points = [];
    for (let i = 0; i < landmarks.length; i += 3) points.push(landmarks.slice(i, i + 3));
    drawFace(canvas.getContext("2d"), canvas.width, canvas.height, points, { head, gaze });
  }
}

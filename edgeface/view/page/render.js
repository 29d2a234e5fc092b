// Draws what the page shows of given frames, for `edgeface render`.

import { Backdrop } from "./backdrop.js";
import { Drawn } from "./drawn.js";
import { openStage } from "./stage.js";
import { ask } from "./stream.js";

const FRAME_S = 0.04;
const $ = (id) => document.getElementById(id);

async function open() {
  const { avatar, staging } = await ask("page.json");
  const backdrop = new Backdrop($("background"), staging.background);
  await backdrop.load();
  const painter = avatar ? await openStage($("stage"), avatar, staging) : new Drawn($("face"));
  if (painter && painter.own) backdrop.glow = painter.own.GLOW;
  if (!painter) throw new Error("this Chromium has no WebGL, which an avatar needs");
  const picture = document.createElement("canvas"), ctx = picture.getContext("2d");
  // faces: { blendshapes, head, gaze, landmarks }; their pictures as base64 of image/png or image/jpeg
  return (faces, size, type, transparent) => {
    if (picture.width !== size || !picture.fitted) {
      picture.width = picture.height = size;
      painter.fit(size, size, 1);
      picture.fitted = true;
    }
    return faces.map((face) => {
      ctx.clearRect(0, 0, size, size);
      if (!transparent) backdrop.paint(ctx, size, size);
      painter.draw(face, FRAME_S);
      ctx.drawImage((avatar ? $("stage") : $("face")), 0, 0);
      return picture.toDataURL(type, 0.95).split(",")[1];
    });
  };
}

window.opened = open().then((paint) => { window.paint = paint; return ""; }, (error) => error.message);

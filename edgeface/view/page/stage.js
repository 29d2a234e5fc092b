// Shows the avatar of `edgeface view --avatar` in three dimensions. Whatever keeps it from that, the drawn
// face stays.

import { Face } from "./web/face.js";

const notice = document.getElementById("notice");
const page = window.edgeface; // of page.js
const stage = (page.stage = { drawn: 0 }); // for tests and the curious
const FRAMED = 2.2; // heights of the face's moving part: the whole head, and some of the neck
const RAISED = 0.08; // of that height, as a crown is further from the face's middle than a chin
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const SLOW_MS = 45; // from picture to picture: too many pixels for this machine
const LOOKED_AT = 60, LOOKED_MS = 4000; // pictures or time, before fewer pixels are tried
const HOPELESS_MS = 150; // fewer pixels would not help
const FEWER = 0.8, FEWEST = 0.4; // pixels per pixel, each way
const MOST_PIXELS = 1.5; // per CSS pixel: more is not seen from where people stand

function say(sentence) {
  notice.textContent = sentence;
  console.warn(`edgeface: ${sentence}`);
}

async function start() {
  const avatar = await (await fetch("avatar.json")).json();
  if (!avatar) return;
  if (avatar.error) { say(avatar.error); return; }
  const canvas = document.createElement("canvas");
  canvas.id = "stage";
  const context = canvas.getContext("webgl2", {
    antialias: true, alpha: true, failIfMajorPerformanceCaveat: avatar.own === "offered",
  });
  if (!context) { console.warn("edgeface: no WebGL here; the drawn face stays"); return; }
  if (avatar.own === "offered" && drawsInSoftware(context)) {
    console.info("edgeface: no graphics card here; the drawn face stays");
    return;
  }
  const three = await import("three");
  const model = await load(avatar);
  const { Rig } = await import("./rig.js");
  const { Motion } = await import("./motion.js");
  const own = avatar.own && await import("./head.js");
  if (own) own.dress(model);
  const rig = new Rig(model, avatar.names);
  if (!rig.speaks) { say(`${avatar.name}: no face in it that could speak`); return; }
  const missing = avatar.names.filter((name) => !rig.found.includes(name));
  if (missing.length) console.info(`edgeface: ${avatar.name} lacks ${missing.join(", ")}`);
  const face = new Face(null);
  face.names = avatar.names;
  page.listen((message) => face.take(message));
  Object.assign(stage, { rig, face, motion: new Motion(face) });
  show(three, canvas, context, rig, own, avatar.own === "offered");
}

function drawsInSoftware(context) {
  const known = context.getExtension("WEBGL_debug_renderer_info");
  return known !== null && SOFTWARE.test(context.getParameter(known.UNMASKED_RENDERER_WEBGL));
}

async function load(avatar) {
  const { GLTFLoader } = await import("three/addons/loaders/GLTFLoader.js");
  const { MeshoptDecoder } = await import("three/addons/libs/meshopt_decoder.module.js");
  const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
  if (!avatar.kind.startsWith("VRM")) return loader.loadAsync("avatar");
  const { VRMLoaderPlugin, VRMUtils } = await import("@pixiv/three-vrm");
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const model = await loader.loadAsync("avatar");
  VRMUtils.rotateVRM0(model.userData.vrm);
  return model;
}

function show(three, canvas, context, rig, own, offered) {
  const renderer = new three.WebGLRenderer({ canvas, context });
  const scene = new three.Scene();
  const camera = new three.PerspectiveCamera(20);
  const key = new three.DirectionalLight(0xffdfbe, 2.8); // warm, from above the viewer's left shoulder
  const rim = new three.DirectionalLight(0xbcd4ff, 1.2);
  key.position.set(-1, 1.2, 2);
  rim.position.set(1.5, 1, -1.5);
  scene.add(rig.root);
  if (own) own.light(renderer, scene, rig);
  else scene.add(key, rim, new three.HemisphereLight(0xdce8f5, 0x5a4636, 0.85));
  const box = rig.region, centre = box.getCenter(new three.Vector3()), size = box.getSize(new three.Vector3());

  let detail = 1, pictures = 0, since = performance.now();

  function frame() {
    renderer.setPixelRatio(detail * Math.min(devicePixelRatio || 1, MOST_PIXELS));
    renderer.setSize(innerWidth, innerHeight, false);
    camera.aspect = innerWidth / innerHeight;
    const high = (own ? own.FRAMED : FRAMED) * Math.max(size.y, size.x / Math.min(1, 1.2 * camera.aspect));
    const far = high / 2 / Math.tan(camera.fov * Math.PI / 360) + size.z / 2;
    camera.near = far / 50;
    camera.far = far * 50;
    camera.position.set(centre.x, centre.y + RAISED * size.y, centre.z + far);
    camera.updateProjectionMatrix();
  }
  addEventListener("resize", frame);
  frame();

  function look() {
    pictures = 0;
    since = performance.now();
  }
  document.addEventListener("visibilitychange", look); // nothing is drawn while nobody sees it

  function spare(now) {
    if (stage.drawn < 2) return look(); // the first picture waits for what is compiled
    if (++pictures < LOOKED_AT && now - since < LOOKED_MS) return;
    const late = (now - since) / pictures;
    if (late > SLOW_MS && !document.hidden) {
      if (offered && (late > HOPELESS_MS || detail <= FEWEST)) giveWay();
      else if (detail > FEWEST) {
        detail *= FEWER;
        frame();
      }
    }
    look();
  }

  function giveWay() { // nobody asked for this head
    console.info("edgeface: too slow for the head; the drawn face stays");
    renderer.setAnimationLoop(null);
    canvas.hidden = true;
    canvas.remove();
  }

  const clock = new three.Clock();
  function draw(now) {
    spare(now);
    rig.show(stage.motion.now(), clock.getDelta());
    renderer.render(scene, camera);
    stage.drawn++;
    page.covered = !canvas.hidden;
  }
  Object.assign(stage, { renderer, scene, camera });
  renderer.setAnimationLoop(draw);
  canvas.addEventListener("webglcontextlost", () => { canvas.hidden = true; });
  canvas.addEventListener("webglcontextrestored", () => { canvas.hidden = false; });
  document.getElementById("face").after(canvas);
}

start().catch((error) => say(`the avatar cannot be shown: ${error.message}`));

// An avatar in three dimensions.

const FRAMED = 2.2; // heights of the face's moving part: the whole head, and some of the neck
const RAISED = 0.08; // of that height, as a crown is further from the face's middle than a chin
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const MOST_PIXELS = 1.5; // per CSS pixel: more is not seen from where people stand
const KEY = [2.236, 1.2]; // of the main light: how far before the face, and how far up

// avatar: its name, kind and the names of the frames' blendshapes; staging: how it is to be shown.
// Null where there is no WebGL, or where software draws it and nobody chose a head; an Error says what else keeps the avatar from being shown.
export async function openStage(canvas, avatar, staging) {
  const context = canvas.getContext("webgl2", {
    antialias: true, alpha: true, failIfMajorPerformanceCaveat: avatar.own === "offered",
  });
  if (!context) { console.warn("edgeface: no WebGL here; the drawn face stays"); return null; }
  if (avatar.own === "offered" && drawsInSoftware(context)) {
    console.info("edgeface: no graphics card here; the drawn face stays");
    return null;
  }
  const three = await import("three");
  const model = await load(avatar);
  const { Rig } = await import("./rig.js");
  const own = avatar.own && await import("./head.js");
  if (own) own.dress(model);
  const rig = new Rig(model, avatar.names);
  if (!rig.speaks) throw new Error(`${avatar.name}: no face in it that could speak`);
  const missing = avatar.names.filter((name) => !rig.found.includes(name));
  if (missing.length) console.info(`edgeface: ${avatar.name} lacks ${missing.join(", ")}`);
  return new Stage(three, canvas, context, rig, staging, own);
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

class Stage {
  constructor(three, canvas, context, rig, { camera, light }, own) {
    this.rig = rig;
    this.own = own; // its light and frame, where it is edgeface's own
    this.view = camera;
    this.renderer = new three.WebGLRenderer({ canvas, context });
    this.scene = new three.Scene();
    this.camera = new three.PerspectiveCamera(20);
    this.scene.add(rig.root);
    if (own) own.light(this.renderer, this.scene, rig);
    else this.scene.add(...lights(three, light));
    this.centre = rig.region.getCenter(new three.Vector3());
    this.size = rig.region.getSize(new three.Vector3());
  }

  // ratio: pixels of the picture per pixel of width and height
  fit(width, height, ratio) {
    const { renderer, camera, centre, size, view } = this;
    renderer.setPixelRatio(Math.min(ratio, MOST_PIXELS));
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    const framed = (this.own ? this.own.FRAMED : FRAMED) * view.distance / 100;
    const high = framed * Math.max(size.y, size.x / Math.min(1, 1.2 * camera.aspect));
    const far = high / 2 / Math.tan(radians(camera.fov) / 2) + size.z / 2;
    camera.near = far / 50;
    camera.far = far * 50;
    const height0 = centre.y + (RAISED + view.height / 100) * size.y, angle = radians(view.angle);
    camera.position.set(centre.x + far * Math.sin(angle), height0, centre.z + far * Math.cos(angle));
    camera.lookAt(centre.x, height0, centre.z);
    camera.updateProjectionMatrix();
  }

  // face: { blendshapes, head, gaze }; seconds since the last one
  draw(face, seconds) {
    this.rig.show(face, seconds);
    this.renderer.render(this.scene, this.camera);
  }
}

function lights(three, { strength, angle, colour }) {
  const share = strength / 100, turned = radians(angle);
  const key = new three.DirectionalLight(colour, 2.8 * share);
  const rim = new three.DirectionalLight(0xbcd4ff, 1.2 * share);
  key.position.set(KEY[0] * Math.sin(turned), KEY[1], KEY[0] * Math.cos(turned));
  rim.position.set(1.5, 1, -1.5);
  return [key, rim, new three.HemisphereLight(0xdce8f5, 0x5a4636, 0.85 * share)];
}

function radians(degrees) {
  return degrees * Math.PI / 180;
}

// edgeface's own heads: what their parts are made of, and the light they stand in.

import * as three from "three";
import { asCloth, asHair, asMouth, asSkin } from "./skin.js";

export const FRAMED = 1.75; // heights of the face's moving part: these have shoulders to stand on
const SHADOW_PIXELS = 512;
const HAIR = 2.1; // brighter than its colour: this material has no share of the room's light
// behind them: shares of the picture's width and height, and colours from the middle outwards
export const GLOW = { at: [0.5, 0.46], radii: [0.75, 0.8], colours: [[0, "#8d8a84"], [0.55, "#57595b"], [1, "#2b2f33"]] };

// Gives every part its material. model: what GLTFLoader has loaded
export function dress(model) {
  model.scene.traverse((mesh) => {
    if (!mesh.isMesh) return;
    bend(mesh.geometry);
    mesh.material = material(mesh);
    mesh.castShadow = !/Eye|Lashes|Brows/.test(mesh.name);
    mesh.receiveShadow = !/EyeShade|Hair/.test(mesh.name);
  });
}

function material(mesh) {
  const { name, material: plain } = mesh, common = { color: plain.color, vertexColors: true, side: plain.side };
  const made = (settings) => new three.MeshStandardMaterial({ ...common, roughness: plain.roughness, ...settings });
  if (/Eyeball/.test(name))
    return new three.MeshPhysicalMaterial({ ...common, roughness: 0.45, clearcoat: 1, clearcoatRoughness: 0.03, envMapIntensity: 0.7 });
  if (/EyeShade/.test(name))
    return new three.MeshBasicMaterial({ ...common, transparent: true, depthWrite: false });
  if (name === "Hair") { // many layers: a cheaper material
    const hair = new three.MeshPhongMaterial({ ...common, shininess: 30, specular: 0x4a4038 });
    hair.color.multiplyScalar(HAIR);
    asHair(hair);
    return hair;
  }
  const skinned = made({ envMapIntensity: 0.65 }), scale = 10 * unit(mesh);
  if (name === "Face") asSkin(three, skinned, scale);
  if (/Sweater|Collar/.test(name)) { asCloth(skinned, scale); skinned.envMapIntensity = 0.4; }
  if (/Teeth|Tongue/.test(name)) { asMouth(skinned); skinned.envMapIntensity = 0.45; }
  return skinned;
}

// metres of one unit of a mesh's coordinates
function unit(mesh) {
  return mesh.isSkinnedMesh ? mesh.skeleton.boneInverses[0].getMaxScaleOnAxis() : mesh.scale.x;
}

// Normals of the morph targets, which the file leaves out: light follows what moves.
function bend(geometry) {
  const targets = geometry.morphAttributes.position;
  if (!targets || !geometry.index) return;
  const { position } = geometry.attributes, index = geometry.index.array, count = position.count;
  const rest = new Float32Array(3 * count), points = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) rest.set([position.getX(i), position.getY(i), position.getZ(i)], 3 * i);
  const still = sums(rest, index);
  geometry.morphAttributes.normal = targets.map((target) => {
    for (let i = 0; i < count; i++) {
      points[3 * i] = rest[3 * i] + target.getX(i);
      points[3 * i + 1] = rest[3 * i + 1] + target.getY(i);
      points[3 * i + 2] = rest[3 * i + 2] + target.getZ(i);
    }
    const moved = sums(points, index);
    for (let k = 0; k < moved.length; k++) moved[k] -= still[k];
    return new three.BufferAttribute(moved, 3);
  });
}

// Normals of vertices, of length 1.
function sums(points, index) {
  const all = new Float32Array(points.length);
  for (let k = 0; k < index.length; k += 3) {
    const [a, b, c] = [3 * index[k], 3 * index[k + 1], 3 * index[k + 2]];
    const ux = points[b] - points[a], uy = points[b + 1] - points[a + 1], uz = points[b + 2] - points[a + 2];
    const vx = points[c] - points[a], vy = points[c + 1] - points[a + 1], vz = points[c + 2] - points[a + 2];
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    for (const i of [a, b, c]) { all[i] += x; all[i + 1] += y; all[i + 2] += z; }
  }
  for (let i = 0; i < all.length; i += 3) {
    const length = Math.hypot(all[i], all[i + 1], all[i + 2]) || 1;
    all[i] /= length; all[i + 1] /= length; all[i + 2] /= length;
  }
  return all;
}

// A warm lamp before the face with a soft shadow, a cool one behind, and a room of soft boxes.
export function light(renderer, scene, rig) {
  const centre = rig.region.getCenter(new three.Vector3()), size = rig.unit;
  const key = new three.DirectionalLight(0xffe0c2, 2.1), rim = new three.DirectionalLight(0xc4d8ff, 1.1);
  key.position.copy(centre).add(new three.Vector3(-2.2, 2.4, 4).multiplyScalar(size));
  rim.position.copy(centre).add(new three.Vector3(3.2, 1.8, -2.6).multiplyScalar(size));
  key.target.position.copy(centre);
  rim.target.position.copy(centre);
  key.castShadow = true;
  key.shadow.mapSize.set(SHADOW_PIXELS, SHADOW_PIXELS);
  Object.assign(key.shadow.camera, { left: -3 * size, right: 3 * size, top: 3 * size, bottom: -3 * size, near: size, far: 10 * size });
  key.shadow.normalBias = 0.035 * size;
  key.shadow.radius = 6;
  key.shadow.blurSamples = 10;
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = three.VSMShadowMap;
  key.shadow.bias = -0.0004;
  renderer.toneMapping = three.ACESFilmicToneMapping;
  renderer.toneMappingExposure = 1.0;
  scene.add(key, key.target, rim, rim.target, new three.HemisphereLight(0xe4ebf2, 0x6a5648, 0.5));
  scene.environment = room(renderer);
  scene.environmentIntensity = 0.45;
}

// What is mirrored in eyes and lips: a large window at the left, a small one at the right, a warm floor.
function room(renderer) {
  const scene = new three.Scene();
  const box = (width, height, place, colour, strength) => {
    const panel = new three.Mesh(new three.PlaneGeometry(width, height),
      new three.MeshBasicMaterial({ color: new three.Color(colour).multiplyScalar(strength), side: three.DoubleSide }));
    panel.position.set(...place);
    panel.lookAt(0, 0, 0);
    scene.add(panel);
  };
  scene.background = new three.Color(0x3d4043);
  box(5, 5, [-5, 4, 5], 0xfff1e0, 7);
  box(2.5, 5, [6, 2, 2.5], 0xdfeaff, 2.5);
  box(12, 12, [0, -6, 0], 0xb08a70, 0.9);
  box(9, 9, [0, 8, 0], 0xe8eef5, 1.6);
  const generator = new three.PMREMGenerator(renderer);
  const { texture } = generator.fromScene(scene, 0.02);
  generator.dispose();
  return texture;
}

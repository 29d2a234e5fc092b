// What moves in an avatar: its morph targets, a VRM's expressions, its head and eyes.

import { Box3, Euler, Group, Quaternion, Vector3 } from "three";
import { morphs, plain } from "./web/face.js";
import { vowels } from "./vowels.js";

// the rules of edgeface/view/avatar.py
const HEAD = /(?:^|[^A-Za-z])head$|Head$/;
const EYES = [/(?:left|(?:^|[^a-z])l)[_. ]?(?:face)?eye$|eye[_. ]?(?:left|l)$/i,
              /(?:right|(?:^|[^a-z])r)[_. ]?(?:face)?eye$|eye[_. ]?(?:right|r)$/i];
const MOVED = 0.003; // of the mesh's radius: a vertex that a shape moves less is none of the face
const FACE_WIDTH = 0.7; // outer eye corners, of the width that the shapes move
const NECK_DEPTH = 0.8; // of that width, behind the tip of the nose
const LOWERED = -1.25; // rad from the T pose in which a VRM stands

export class Rig {
  // model: what GLTFLoader has loaded; names: of ARKit, in the frames' order
  constructor(model, names) {
    this.names = names;
    this.scene = model.scene;
    this.vrm = model.userData.vrm || null;
    this.meshes = [];
    this.scene.traverse((object) => {
      if (object.isMesh) object.frustumCulled = false; // its bounds are those of the face at rest
      if (object.morphTargetInfluences) this.meshes.push({ mesh: object, places: morphs(object, names) });
    });
    this.root = new Group().add(this.scene); // what is to be shown
    this.findExpressions();
    this.findBones();
    this.measure();
  }

  get found() {
    return this.names.filter((name) =>
      this.expressions.has(name) || this.meshes.some(({ places }) => places.has(name)));
  }

  get speaks() {
    return this.vowels || this.found.some((name) => /^(jaw|mouth)/.test(name));
  }

  // A VRM's expression of a shape comes before the morph targets that it moves: both would add up.
  findExpressions() {
    const manager = this.vrm && this.vrm.expressionManager;
    const all = manager ? manager.expressions.filter((each) => each.binds.length) : [];
    const byName = new Map(all.map((each) => [plain(each.expressionName), each.expressionName]));
    this.expressions = new Map(this.names.filter((name) => byName.has(plain(name)))
      .map((name) => [name, byName.get(plain(name))]));
    if (this.expressions.size) this.meshes.forEach(({ places }) =>
      this.expressions.forEach((_, name) => places.delete(name)));
    this.vowels = Boolean(manager && manager.getExpression("aa") &&
      !this.found.some((name) => /^(jaw|mouth)/.test(name)));
  }

  findBones() {
    const bone = (name, pattern) => this.vrm ? this.vrm.humanoid.getNormalizedBoneNode(name) : this.node(pattern);
    const looks = this.found.some((name) => name.startsWith("eyeLook"));
    this.head = joint(bone("head", HEAD));
    // eyes that shapes turn are not turned twice; those that are meshes of their own only nodes can turn
    this.eyes = [bone("leftEye", EYES[0]), bone("rightEye", EYES[1])]
      .map((eye) => (looks && !rigid(eye) ? null : joint(eye)));
    if (!this.vrm) return;
    [["leftUpperArm", LOWERED], ["rightUpperArm", -LOWERED]].forEach(([name, angle]) => {
      const arm = joint(this.vrm.humanoid.getNormalizedBoneNode(name));
      if (arm) turn(arm, new Euler(0, 0, angle));
    });
    this.vrm.update(0);
  }

  // a bone before a node; a skinned mesh does not follow its own node
  node(pattern) {
    const found = [];
    this.scene.traverse((object) => {
      if (!object.isSkinnedMesh && pattern.test(object.name)) found.push(object);
    });
    return found.find((object) => object.isBone) || found[0];
  }

  // frame: { blendshapes, head, gaze }; seconds since the last one
  show(frame, seconds) {
    const shapes = Object.fromEntries(this.names.map((name, i) => [name, frame.blendshapes[i]]));
    for (const { mesh, places } of this.meshes)
      places.forEach((place, name) => { mesh.morphTargetInfluences[place] = shapes[name]; });
    const [pitch, yaw, roll, ...shift] = frame.head;
    if (this.head) turn(this.head, new Euler(pitch, yaw, roll, "YXZ"));
    this.eyes.forEach((eye, i) => {
      if (eye) turn(eye, new Euler(-frame.gaze[2 * i + 1], frame.gaze[2 * i], 0, "YXZ"));
    });
    this.root.position.fromArray(shift).multiplyScalar(this.unit).add(this.neck);
    if (!this.vrm) return;
    const { expressionManager } = this.vrm;
    this.expressions.forEach((expression, name) => expressionManager.setValue(expression, shapes[name]));
    if (this.vowels)
      Object.entries(vowels(shapes)).forEach(([name, value]) => expressionManager.setValue(name, value));
    this.vrm.update(seconds);
  }

  // Where the face is, and how large. Without a bone or node of the head, everything turns about the neck.
  measure() {
    this.region = this.moved();
    const { min, max } = this.region, width = Math.max(max.x - min.x, 1e-3);
    this.unit = FACE_WIDTH * width;
    this.neck = new Vector3();
    if (this.head) return;
    this.neck.set((min.x + max.x) / 2, min.y, max.z - NECK_DEPTH * width);
    this.scene.position.sub(this.neck);
    this.root.position.copy(this.neck);
    this.head = joint(this.root);
  }

  // The part that the face's shapes move, in the world's coordinates.
  moved() {
    this.scene.updateWorldMatrix(true, true);
    const box = new Box3(), point = new Vector3(), moved = new Vector3();
    for (const { mesh, places } of this.meshes) {
      const targets = mesh.geometry.morphAttributes.position || [];
      const used = places.size ? [...places.values()] : targets.map((_, i) => i);
      const count = mesh.geometry.attributes.position.count;
      mesh.geometry.computeBoundingSphere(); // with the morph targets
      const least = MOVED * mesh.geometry.boundingSphere.radius;
      for (let i = 0; i < count; i++)
        if (used.some((k) => targets[k] && moved.fromBufferAttribute(targets[k], i).length() > least))
          box.expandByPoint(mesh.getVertexPosition(i, point).applyMatrix4(mesh.matrixWorld));
    }
    if (box.isEmpty()) box.setFromObject(this.scene);
    return box;
  }
}

// whether there are meshes below a node, none of which has shapes
function rigid(node) {
  const meshes = [];
  if (node) node.traverse((object) => { if (object.isMesh) meshes.push(object); });
  return meshes.length > 0 && meshes.every((mesh) => !mesh.morphTargetInfluences);
}

function joint(node) {
  return node ? { node, rest: node.quaternion.clone() } : null;
}

const parent = new Quaternion(), turned = new Quaternion();

// Turns a node from its rest about the world's axes: x to the viewer's right, y up, z to the viewer.
function turn({ node, rest }, angles) {
  if (node.parent) node.parent.getWorldQuaternion(parent);
  else parent.identity();
  turned.setFromEuler(angles).multiply(parent); // in the parent's axes: inverse(parent) * angles * parent
  node.quaternion.copy(parent.invert().multiply(turned)).multiply(rest);
}

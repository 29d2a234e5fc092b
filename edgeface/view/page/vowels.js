// The mouth as VRM's vowels, for avatars that have no shapes of ARKit: as `edgeface bridge vmc --names vrm1`
// sends it (edgeface/bridge/vmc.py, which says where the numbers are from; a test compares the two).

const OPENING = {
  jawOpen: 0.363, mouthClose: -0.398, mouthFunnel: 0.150, mouthPucker: -0.008,
  mouthSmileLeft: -0.008, mouthSmileRight: -0.008, mouthLowerDownLeft: 0.029, mouthLowerDownRight: 0.029,
  mouthUpperUpLeft: 0.032, mouthUpperUpRight: 0.032, mouthRollLower: -0.041,
};
const WIDENING = {
  mouthFunnel: -0.065, mouthPucker: -0.098, mouthStretchLeft: 0.069, mouthStretchRight: 0.069,
  mouthSmileLeft: 0.075, mouthSmileRight: 0.075,
};
const OPEN = 0.12, SPREAD = 0.008, ROUND = 0.03, PARTED = 0.02;

// shapes: {name: value} of ARKit; {name: value} of VRM 1
export function vowels(shapes) {
  const sum = (weights) => Object.entries(weights).reduce((s, [name, weight]) => s + weight * shapes[name], 0);
  const share = (value, whole) => Math.min(1, Math.max(0, value / whole));
  const opening = sum(OPENING), widening = sum(WIDENING);
  const open = share(opening, OPEN), round = share(-widening, ROUND), spread = share(widening, SPREAD);
  const narrow = (1 - open) * share(opening, PARTED);
  const blink = Math.min(shapes.eyeBlinkLeft, shapes.eyeBlinkRight);
  return {
    aa: open * (1 - round - spread), ih: narrow * spread, ou: narrow * round,
    ee: open * spread, oh: open * round,
    blink, blinkLeft: shapes.eyeBlinkLeft - blink, blinkRight: shapes.eyeBlinkRight - blink,
  };
}

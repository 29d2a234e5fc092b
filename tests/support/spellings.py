"""Names of morph targets as tools write them, by ARKit's name."""

SPELLINGS = {
    "jawOpen": ("jawOpen", "JawOpen", "jaw_open", "blendShape1.jawOpen", "head_bs:JawOpen"),
    "eyeBlinkLeft": ("eyeBlinkLeft", "eyeBlink_L", "eyeBlink.L", "EyeBlink_l", "Eye_Blink_L"),
    "mouthSmileRight": ("mouthSmileRight", "bs.mouthSmile_R", "mouthSmile.R", "mouthSmileR"),
    "mouthLeft": ("mouthLeft", "MouthLeft", "mouth_left"),
}

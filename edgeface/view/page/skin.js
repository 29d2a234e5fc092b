// What makes three.js' standard material look like skin, hair and cloth.

// Light goes into skin and comes out beside where it went in, red the farthest: it reaches round the edge of
// shadows. Pores are noise on the normals; lips, which are redder than all else, shine more.
const PORES = `
float hash(vec3 p) {
  p = fract(p * vec3(0.1031, 0.1030, 0.0973));
  p += dot(p, p.yzx + 33.33);
  return fract((p.x + p.y) * p.z);
}
vec4 noised(vec3 x) { // value and slope
  vec3 i = floor(x), w = fract(x), u = w * w * (3.0 - 2.0 * w), du = 6.0 * w * (1.0 - w);
  float a = hash(i), b = hash(i + vec3(1, 0, 0)), c = hash(i + vec3(0, 1, 0)), d = hash(i + vec3(1, 1, 0));
  float e = hash(i + vec3(0, 0, 1)), f = hash(i + vec3(1, 0, 1)), g = hash(i + vec3(0, 1, 1)), h = hash(i + vec3(1));
  float k1 = b - a, k2 = c - a, k3 = e - a, k4 = a - b - c + d, k5 = a - c - e + g, k6 = a - b - e + f;
  float k7 = -a + b + c - d + e - f - g + h;
  return vec4(a + k1 * u.x + k2 * u.y + k3 * u.z + k4 * u.x * u.y + k5 * u.y * u.z + k6 * u.z * u.x + k7 * u.x * u.y * u.z,
    du * vec3(k1 + k4 * u.y + k6 * u.z + k7 * u.y * u.z, k2 + k5 * u.z + k4 * u.x + k7 * u.z * u.x,
              k3 + k6 * u.x + k5 * u.y + k7 * u.x * u.y));
}
`;

function resting(shader) {
  shader.vertexShader = shader.vertexShader
    .replace("#include <common>", "#include <common>\nvarying vec3 vRest;")
    .replace("#include <begin_vertex>", "#include <begin_vertex>\nvRest = position;");
  shader.fragmentShader = shader.fragmentShader.replace("#include <common>", "#include <common>\nvarying vec3 vRest;");
}

// three: the library; scale: of the mesh's units to decimetres
export function asSkin(three, material, scale) {
  material.onBeforeCompile = (shader) => {
    resting(shader);
    const lit = three.ShaderChunk.lights_physical_pars_fragment
      .replace("reflectedLight.directDiffuse += irradiance * BRDF_Lambert( material.diffuseColor );", `
        float cosine = dot( geometryNormal, directLight.direction );
        vec3 wrap = vec3( 0.34, 0.14, 0.10 );
        vec3 entered = saturate( ( cosine + wrap ) / ( 1.0 + wrap ) );
        reflectedLight.directDiffuse += entered * directLight.color * BRDF_Lambert( material.diffuseColor );`);
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <lights_physical_pars_fragment>", lit + PORES)
      .replace("#include <color_fragment>", `#include <color_fragment>
        vec3 place = vRest * ${(scale).toFixed(4)};
        vec4 blotch = noised( place * 9.0 ), grain = noised( place * 70.0 );
        float lip = smoothstep( 0.42, 0.3, vColor.g / max( vColor.r, 1e-3 ) );
        diffuseColor.rgb *= 1.0 + ( blotch.x - 0.5 ) * vec3( 0.10, 0.16, 0.14 ) + ( grain.x - 0.5 ) * 0.09;`)
      .replace("#include <roughnessmap_fragment>", `#include <roughnessmap_fragment>
        roughnessFactor = mix( roughnessFactor + ( grain.x - 0.5 ) * 0.12, 0.36, lip );`)
      .replace("#include <normal_fragment_maps>", `
        vec3 slope = normalize( ( viewMatrix * vec4( grain.yzw, 0.0 ) ).xyz + 1e-5 )
          * length( grain.yzw ) * mix( 0.045, 0.10, lip );
        normal = normalize( normal - slope + dot( slope, normal ) * normal );`);
  };
}

// Ribbons become strands: light and dark along them, ragged where they begin and end, with the long
// highlight of hair (J. Kajiya, T. Kay, Rendering fur with three dimensional textures, 1989).
export function asHair(material) {
  material.alphaToCoverage = material.premultipliedAlpha = true;
  material.onBeforeCompile = (shader) => {
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nvarying vec2 vStrand;")
      .replace("#include <begin_vertex>", "#include <begin_vertex>\nvStrand = uv;");
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", `#include <common>
        varying vec2 vStrand;
        float dice(float k) { return fract(sin(k * 12.9898) * 43758.5453); }
        float streak(float x, float seed) {
          float i = floor(x), f = fract(x);
          return mix(dice(i + seed), dice(i + 1.0 + seed), f * f * (3.0 - 2.0 * f));
        }`)
      .replace("#include <color_fragment>", `#include <color_fragment>
        float across = fract(vStrand.x * 64.0), ribbon = floor(vStrand.x * 64.0) * 7.0;
        float fine = streak(across * 15.0, ribbon), coarse = streak(across * 5.0, ribbon + 91.0);
        float edge = 1.0 - abs(across * 2.0 - 1.0);
        float until = 0.8 + 0.2 * fine, from = 0.05 * coarse;
        float inside = min(min(until - vStrand.y, vStrand.y - from) * 4.0, edge - 0.35 * (coarse - 0.35));
        diffuseColor.a = clamp(inside / max(fwidth(inside), 1e-4) + 0.5, 0.0, 1.0);
        if (diffuseColor.a < 0.02) discard;
        diffuseColor.rgb *= 0.6 + 0.55 * fine + 0.25 * coarse;`)
      .replace("#include <normal_fragment_maps>", `
        vec3 alongs = normalize(dFdx(vViewPosition) * dFdy(vStrand.x) - dFdy(vViewPosition) * dFdx(vStrand.x) + 1e-9);
        normal = normalize(normal + cross(alongs, normal) * (fine - 0.5) * 0.5);`);
  };
}

// No light comes into a mouth but from the front.
export function asMouth(material) {
  material.onBeforeCompile = (shader) => {
    shader.fragmentShader = shader.fragmentShader.replace("#include <opaque_fragment>",
      "outgoingLight *= smoothstep( 0.05, 0.75, normal.z );\n#include <opaque_fragment>");
  };
}

// A knitted surface: rows of small stitches.
export function asCloth(material, scale) {
  material.onBeforeCompile = (shader) => {
    resting(shader);
    shader.fragmentShader = shader.fragmentShader.replace("#include <color_fragment>", `#include <color_fragment>
      vec3 knit = vRest * ${(scale * 95).toFixed(3)};
      float stitch = sin(knit.x + 0.7 * abs(fract(knit.y * 0.16) - 0.5) * 6.0) * sin(knit.y);
      diffuseColor.rgb *= 1.0 + 0.08 * stitch * clamp(1.3 - fwidth(knit.y), 0.0, 1.0);`);
  };
}

/** Which instructions a processor has beyond the first x86-64's, by the kernel's names (`flags` in /proc/cpuinfo). Pure. */

/** The psABI's levels, each with all of those before it. */
export const cpuLevels = ["x86-64-v2", "x86-64-v3", "x86-64-v4"] as const;
export type CpuLevel = (typeof cpuLevels)[number];

const added: Readonly<Record<CpuLevel, string>> = {
  "x86-64-v2": "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3",
  "x86-64-v3": "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave",
  "x86-64-v4": "avx512f avx512bw avx512cd avx512dq avx512vl",
};

/**
 * What a program finds by CPUID and dies of where it is missing (arch/x86/include/asm/cpufeatures.h has the names). Not
 * among them: what only the kernel uses, and hints (`erms`, `hle`, `cldemote`, `prefetchi`).
 */
const instructions = new Set(
  words(`pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c rdrand lahf_lm abm sse4a misalignsse
  xop fma4 tbm lwp 3dnow 3dnowext mmxext rdtscp mwaitx clzero rdpru fsgsbase bmi1 avx2 bmi2 rtm rdseed adx clflushopt
  clwb sha_ni sha512 sm3 sm4 pku ospke waitpkg gfni vaes vpclmulqdq rdpid movdiri movdir64b enqcmd serialize tsxldtrk
  cmpccxadd user_shstk xsaveopt xsavec xgetbv1 avx_vnni avx_vnni_int8 avx_vnni_int16 avx_ifma avx_ne_convert avx10
  avx512f avx512dq avx512ifma avx512pf avx512er avx512cd avx512bw avx512vl avx512vbmi avx512_vbmi2 avx512_vnni
  avx512_bitalg avx512_vpopcntdq avx512_4vnniw avx512_4fmaps avx512_vp2intersect avx512_fp16 avx512_bf16
  amx_tile amx_int8 amx_bf16 amx_fp16 amx_complex amx_tf32 amx_fp8 amx_movrs amx_avx512 movrs apx_f`),
);

export function instructionsOf(features: readonly string[]): string[] {
  return features.filter((feature) => instructions.has(feature));
}

export function instructionsOfLevel(level: CpuLevel): string[] {
  return cpuLevels.slice(0, cpuLevels.indexOf(level) + 1).flatMap((each) => words(added[each]));
}

/** The line `flags` of /proc/cpuinfo; empty where the text has none. */
export function readFeatures(cpuinfo: string): string[] {
  return words(/^flags\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? "");
}

export interface Processor {
  /** As it calls itself. */
  model: string;
  /** By the kernel's names, those that programs do not see among them. */
  features: string[];
}

/** The lines `model name` and `flags` of /proc/cpuinfo; empty where it has none. */
export function readProcessor(cpuinfo: string): Processor {
  const model = /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1]?.trim() ?? "";
  return { model, features: readFeatures(cpuinfo) };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

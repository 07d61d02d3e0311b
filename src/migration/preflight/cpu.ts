import type { Facts, Problem } from "../facts.js";

/**
 * The kernel's names (arch/x86/include/asm/cpufeatures.h) of the instructions that a program finds by CPUID and dies of where
 * they are missing. Not among them: what only the kernel uses, and what is a hint (`erms`, `hle`, `cldemote`, `prefetchi`).
 */
const instructions = new Set(
  `pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c rdrand lahf_lm abm sse4a misalignsse xop
  fma4 tbm lwp 3dnow 3dnowext mmxext rdtscp mwaitx clzero rdpru fsgsbase bmi1 avx2 bmi2 rtm rdseed adx clflush clflushopt
  clwb sha_ni sha512 sm3 sm4 pku ospke waitpkg gfni vaes vpclmulqdq rdpid movdiri movdir64b enqcmd serialize tsxldtrk
  cmpccxadd user_shstk xsaveopt xsavec xgetbv1 avx_vnni avx_vnni_int8 avx_vnni_int16 avx_ifma avx_ne_convert avx10
  avx512f avx512dq avx512ifma avx512pf avx512er avx512cd avx512bw avx512vl avx512vbmi avx512_vbmi2 avx512_vnni
  avx512_bitalg avx512_vpopcntdq avx512_4vnniw avx512_4fmaps avx512_vp2intersect avx512_fp16 avx512_bf16
  amx_tile amx_int8 amx_bf16 amx_fp16 amx_complex amx_tf32 amx_fp8 amx_movrs amx_avx512 movrs apx_f`.split(
    /\s+/,
  ),
);

/** A program chooses its instructions when it starts: what it found at the source it goes on using at the destination. */
export function checkCpu({ service, source, destination }: Facts): Problem[] {
  const there = new Set(destination.processor.features);
  const missing = source.processor.features.filter(
    (feature) => instructions.has(feature) && !there.has(feature),
  );
  if (missing.length === 0) return [];
  return [
    {
      check: "cpu",
      node: destination.node,
      message: `${destination.node}'s processor (${destination.processor.model}) lacks what ${source.node}'s (${source.processor.model}) has, and ${service.name} may be using: ${missing.join(", ")}`,
      hint: "migrate to a node with the same or a newer processor",
    },
  ];
}

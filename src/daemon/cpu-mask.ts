/** How the C library and OpenSSL are told to do without instructions that the processor has. Pure. */
import { instructionsOf } from "../instructions.js";

/**
 * By the C library's names, as its tunable `glibc.cpu.hwcaps` takes them (sysdeps/x86/cpu-tunables.c; one that it does not
 * know it passes over). Without OSXSAVE it saves no vector registers by XSAVE when it binds a function.
 */
const names: Readonly<Record<string, string>> = {
  ...{ ssse3: "SSSE3", sse4_1: "SSE4_1", sse4_2: "SSE4_2", popcnt: "POPCNT", movbe: "MOVBE", abm: "LZCNT" },
  ...{
    avx: "AVX",
    avx2: "AVX2 AVX_Fast_Unaligned_Load",
    fma: "FMA",
    fma4: "FMA4",
    bmi1: "BMI1",
    bmi2: "BMI2",
  },
  ...{ xsave: "XSAVE OSXSAVE", xsavec: "XSAVEC", rtm: "RTM", avx512f: "AVX512F", avx512cd: "AVX512CD" },
  ...{
    avx512bw: "AVX512BW",
    avx512dq: "AVX512DQ",
    avx512vl: "AVX512VL",
    avx512pf: "AVX512PF",
    avx512er: "AVX512ER",
  },
};

/**
 * Bits of OpenSSL's capability vectors (OPENSSL_ia32cap(3)): EDX and ECX of CPUID's leaf 1; EBX and ECX of leaf 7; EDX of
 * leaf 7 and EAX of its first subleaf.
 */
const bits: readonly Readonly<Record<string, number>>[] = [
  {
    ...{ pni: 32, pclmulqdq: 33, ssse3: 41, fma: 44, sse4_1: 51, sse4_2: 52, movbe: 54, popcnt: 55, aes: 57 },
    ...{ xsave: 59, avx: 60, rdrand: 62 },
  },
  {
    ...{
      bmi1: 3,
      avx2: 5,
      bmi2: 8,
      avx512f: 16,
      avx512dq: 17,
      rdseed: 18,
      adx: 19,
      avx512ifma: 21,
      avx512cd: 28,
    },
    ...{ sha_ni: 29, avx512bw: 30, avx512vl: 31, avx512vbmi: 33, avx512_vbmi2: 38, gfni: 40, vaes: 41 },
    ...{ vpclmulqdq: 42, avx512_vnni: 43, avx512_bitalg: 44, avx512_vpopcntdq: 46 },
  },
  { sha512: 32, sm3: 33, sm4: 34, avx_ifma: 55 },
];

/**
 * The environment in which a program finds no more than `allowed`, on a processor with `features`. What it asks by CPUID
 * itself is not hidden from it.
 */
export function cpuMask(
  allowed: readonly string[],
  features: readonly string[],
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const hidden = instructionsOf(features).filter((instruction) => !allowed.includes(instruction));
  if (hidden.length === 0) return {};
  const off = hidden.flatMap((instruction) => names[instruction]?.split(" ") ?? []);
  const tunable = `glibc.cpu.hwcaps=${off.map((name) => `-${name}`).join(",")}`;
  const others = env["GLIBC_TUNABLES"];
  return {
    GLIBC_TUNABLES: others === undefined ? tunable : `${others}:${tunable}`,
    OPENSSL_ia32cap: bits.map((vector) => `~0x${maskOf(vector, hidden).toString(16)}`).join(":"),
  };
}

function maskOf(vector: Readonly<Record<string, number>>, hidden: readonly string[]): bigint {
  return hidden.reduce((mask, instruction) => {
    const bit = vector[instruction];
    return bit === undefined ? mask : mask | (1n << BigInt(bit));
  }, 0n);
}

/** What of an environment says how stores are reached. */
const names = /^(AWS_|GOOGLE_|STORAGE_EMULATOR_HOST$|S3_CMD$|GS_CMD$)/;

export function accessOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const given = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && names.test(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(given);
}

/** `file:/PATH` or a bare path, `s3://BUCKET/PATH`, `gs://BUCKET/PATH`; whoever goes there looks closer. */
export function readImagePlace(text: string): string {
  if (/^(file:\/|\/|(s3|gs):\/\/[a-z0-9])[^\0\n]*$/.test(text)) return text;
  throw new Error(`"${text}" is no place for images: file:/PATH, s3://BUCKET/PATH or gs://BUCKET/PATH`);
}

/** What a drawn line needs of listr2's task. */
export interface Line {
  title: string;
  output: string;
}

/** A line that turns until it is settled; what settles it may come before its drawing begins. */
export class Drawn {
  #line: Line | undefined;
  #note = "";
  #standing = "";
  readonly #kept: string[] = [];
  readonly #settled = Promise.withResolvers<undefined>();

  constructor(readonly title: string) {
    this.#settled.promise.catch(() => undefined);
  }

  say(text: string): void {
    this.#note = text;
    this.#draw();
  }

  /** A line that stays above what is said later. */
  keep(text: string): void {
    this.#kept.push(text);
    this.#note = "";
    this.#draw();
  }

  stand(text: string): void {
    this.#standing = text;
    this.#draw();
  }

  end(note?: string): void {
    if (note !== undefined && this.#line !== undefined) this.#line.title = `${this.title}  ${note}`;
    this.#settled.resolve(undefined);
  }

  fail(message: string): void {
    this.#settled.reject(new Error(message));
  }

  until(line: Line): Promise<undefined> {
    this.#line = line;
    this.#draw();
    return this.#settled.promise;
  }

  #draw(): void {
    const now = [this.#standing, this.#note].filter((part) => part !== "").join("; ");
    const text = [...this.#kept, now].filter((line) => line !== "").join("\n");
    if (this.#line !== undefined && text !== "") this.#line.output = text;
  }
}

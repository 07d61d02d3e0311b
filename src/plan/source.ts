import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from "yaml";
import { messageOf } from "../errors.js";
import { pathText, type Path, type PlacedProblem, type Problem } from "./problem.js";

/** More aliases than any plan needs; beyond it a small file could unfold into gigabytes. */
const maxAliasCount = 100;

/** A plan's text, what it says as plain values, and where each of them stands. */
export class Source {
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(text: string) {
    // `schema` fixes YAML 1.2's values even where a %YAML 1.1 line asks for `yes` and `no`.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      schema: "core",
      resolveKnownTags: false,
      prettyErrors: false,
    });
  }

  /** The plain values, or every problem of the YAML itself. */
  read(): { data: unknown; problems: PlacedProblem[] } {
    const broken = this.#syntaxProblems();
    const problems = broken.length > 0 ? broken : this.#keyProblems();
    if (problems.length > 0) return { data: undefined, problems };
    try {
      return { data: this.#document.toJS({ maxAliasCount }), problems };
    } catch (thrown) {
      return { data: undefined, problems: [this.#placed(this.#firstAlias(), "plan", messageOf(thrown))] };
    }
  }

  place(problem: Problem): PlacedProblem {
    return this.#placed(this.#offset(problem), pathText(problem.path), problem.message);
  }

  /** A plain value as it is written: `1.10`, which YAML reads as the number 1.1. Undefined for lists and maps. */
  written(path: Path): string | undefined {
    const node = this.#walk(path).node;
    return isScalar(node) ? (node.source ?? "") : undefined;
  }

  #syntaxProblems(): PlacedProblem[] {
    // Warnings are tags and directives that nothing here knows: what they ask for would not happen.
    return [...this.#document.errors, ...this.#document.warnings].map(({ pos, message }) =>
      this.#placed(pos[0], "plan", message),
    );
  }

  #keyProblems(): PlacedProblem[] {
    const problems: PlacedProblem[] = [];
    visit(this.#document, {
      Pair: (_, pair) => {
        const message = keyProblem(pair);
        if (message !== undefined) problems.push(this.#placed(offsetOf(pair.key) ?? 0, "plan", message));
      },
    });
    return problems;
  }

  #firstAlias(): number {
    let offset = 0;
    visit(this.#document, {
      Alias: (_, alias) => {
        offset = offsetOf(alias) ?? 0;
        return visit.BREAK;
      },
    });
    return offset;
  }

  #offset(problem: Problem): number {
    const { node, keyOffset, complete } = this.#walk(problem.path);
    const value = problem.at === "value" && complete && !isEmpty(node) ? offsetOf(node) : undefined;
    return value ?? keyOffset;
  }

  /** Goes down as far as the path leads; `keyOffset` is the last key or list item on the way. */
  #walk(path: Path): { node: unknown; keyOffset: number; complete: boolean } {
    let node: unknown = this.#document.contents;
    let keyOffset = offsetOf(node) ?? 0;
    for (const step of path) {
      const next = child(this.#resolved(node), step);
      if (next === undefined) return { node, keyOffset, complete: false };
      keyOffset = offsetOf(next.key) ?? keyOffset;
      node = next.value;
    }
    return { node: this.#resolved(node), keyOffset, complete: true };
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #placed(offset: number, where: string, message: string): PlacedProblem {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), col: Math.max(col, 1), where, message };
  }
}

function child(node: unknown, step: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) return node.items.find((pair) => isScalar(pair.key) && pair.key.value === step);
  if (!isSeq(node) || typeof step !== "number") return undefined;
  const item = node.items[step];
  return item === undefined ? undefined : { key: item, value: item };
}

function keyProblem({ key }: Pair<unknown, unknown>): string | undefined {
  if (!isScalar(key)) return "a key has to be a plain word";
  if (typeof key.value !== "string") return `the key ${key.source || "(nothing)"} is not text: quote it`;
  return key.value === "__proto__" ? "the key __proto__ is not allowed" : undefined;
}

function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null && node.source === "";
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}

import { Ownership } from "./api.js";
import { readIfThere, replaceDurably } from "./durable.js";

export interface OwnershipStore {
  get(): Ownership;
  set(ownership: Ownership): Promise<void>;
}

export const nobodys: Ownership = { epoch: 0, role: "none", service: null };

/** What the state directory says; a tombstone names an epoch, so the service can come back at a later one. */
export async function openOwnership(path: string): Promise<OwnershipStore> {
  const text = await readIfThere(path);
  let current = text === undefined ? nobodys : Ownership.parse(JSON.parse(text));
  return {
    get: () => current,
    set: async (ownership) => {
      if (ownership.epoch < current.epoch)
        throw new Error(`epoch ${ownership.epoch} is older than ${current.epoch}, which this node has seen`);
      await replaceDurably(path, `${JSON.stringify(ownership)}\n`);
      current = ownership;
    },
  };
}

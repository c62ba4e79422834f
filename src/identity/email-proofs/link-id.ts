import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { DataKeys } from "../keys/data-keys.ts";

/** One block of AES. A UUID fills it exactly, so the id of a link is a UUID too. */
const CIPHER = "aes-128-ecb";
const KEY_BYTES = 16;

/**
 * Turns the id of a flow into the id in its link, and back. The flow id goes to the browser that asked for the mail, and the link
 * goes into the mail. A thief who reads the mail must not learn the flow id from the link, because the flow id and the mailed code
 * sign in together.
 */
export class LinkIds {
  constructor(private readonly dataKeys: DataKeys) {}

  ofFlow(flowId: string): string {
    return crypt(createCipheriv(CIPHER, keyFrom(this.dataKeys.current("code-pepper").key), null), flowId);
  }

  /** Returns the flow that each version of the key finds in the link's id. At most one of them exists. */
  toFlows(linkId: string): string[] {
    return this.dataKeys
      .versions("code-pepper")
      .map(({ key }) => crypt(createDecipheriv(CIPHER, keyFrom(key), null), linkId));
  }
}

function keyFrom(key: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update("mail-link-id").digest().subarray(0, KEY_BYTES);
}

function crypt(cipher: ReturnType<typeof createCipheriv> | ReturnType<typeof createDecipheriv>, uuid: string): string {
  cipher.setAutoPadding(false);
  const block = Buffer.from(uuid.replaceAll("-", ""), "hex");
  const hex = Buffer.concat([cipher.update(block), cipher.final()]).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Arrays that views fetch from the API. */

/** @import { Explore } from "../types.js" */

const KEPT_BLOBS = 24;

/**
 * @typedef {{data: any, error: any, version: any, busy: boolean}} Blob
 *   `version` of the run that the data are of
 */

/** Arrays that a view fetches when it is first seen, and again when the run has gone on. */
export class Blobs {
  /** Path → what is known of it. @type {Map<string, Blob>} */ known;

  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.known = new Map();
  }

  /**
   * {data, error}: `data` may be of an older version while the newer one is on its way.
   * @param {string} path @param {any} version @param {(response: Response) => Promise<any>} read
   */
  get(path, version, read) {
    const entry = this.known.get(path) || { data: null, error: null, version: null, busy: false };
    this.known.delete(path);
    this.known.set(path, entry); // the one used last is the last to go
    if (this.known.size > KEPT_BLOBS) this.known.delete([...this.known.keys()][0]);
    const { source } = this.app;
    if (entry.version !== version && !entry.busy && !source.offline) this.fetch(entry, path, version, read);
    return entry;
  }

  /** @param {Blob} entry @param {string} path @param {any} version @param {(response: Response) => Promise<any>} read */
  async fetch(entry, path, version, read) {
    entry.busy = true;
    try {
      entry.data = await read(await this.app.source.ofRun(path, { read: "response" }));
      Object.assign(entry, { version, error: null });
    } catch (error) {
      if (error.name === "AbortError") return;
      // Without an answer it is asked again when the server is back.
      Object.assign(entry, error.status ? { version, error } : { error: null });
    } finally {
      entry.busy = false;
    }
    this.app.dirty();
  }
}


// WeChat lets ten requests and transfers of a mini program run at once; the eleventh would fail.

import { MenjinError } from "./errors.js";

const PLACES = 10;
const LONGEST = 200;

export class Line {
  private taken = 0;
  private readonly waiting: Array<() => void> = [];

  /** Waits for a place, behind everybody or in front of them. Whoever gets one has to leave it. */
  enter(first = false): Promise<void> {
    if (this.taken < PLACES) {
      this.taken += 1;
      return Promise.resolve();
    }
    if (!first && this.waiting.length >= LONGEST) {
      const message = `${LONGEST} requests wait already`;
      return Promise.reject(new MenjinError("queue_full", message, { retryable: true }));
    }
    return new Promise((resolve) => {
      if (first) this.waiting.unshift(resolve);
      else this.waiting.push(resolve);
    });
  }

  /** The place passes to whoever waits longest. */
  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken -= 1;
  }
}

// Work that follows a person's hand: one call at a time, and while it is under way only the newest one waits.

export class Newest {
  #work;
  #rest; // milliseconds between two calls, so that the pen stays quick
  #isBusy = false;
  #isWaiting = false;

  constructor(work, { rest = 0 } = {}) {
    this.#work = work;
    this.#rest = rest;
  }

  // Resolves to whether the work was done by this call; another that is under way does it otherwise.
  async run() {
    this.#isWaiting = true;
    if (this.#isBusy) return false;
    this.#isBusy = true;
    try {
      while (this.#isWaiting) {
        if (this.#rest) await new Promise((resolve) => { setTimeout(resolve, this.#rest); });
        this.#isWaiting = false;
        try {
          await this.#work();
        } catch (error) {
          if (!this.#isWaiting) throw error; // otherwise the next call may succeed
        }
      }
    } finally {
      this.#isBusy = false;
    }
    return true;
  }
}

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

  async run() {
    this.#isWaiting = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      while (this.#isWaiting) {
        if (this.#rest) await new Promise((resolve) => { setTimeout(resolve, this.#rest); });
        this.#isWaiting = false;
        await this.#work();
      }
    } finally {
      this.#isBusy = false;
    }
  }
}

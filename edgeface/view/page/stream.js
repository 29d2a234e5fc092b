// The server's messages, for ever: whatever ends or is silent is opened again.

const SILENT_MS = 5000; // the server says something every second
const AGAIN_MS = 1000;

export class Stream {
  // take: called with each message; lost: called when the connection is
  constructor(take, lost) {
    this.take = take;
    this.lost = lost;
    this.open();
    setInterval(() => { if (performance.now() - this.heard > SILENT_MS) this.fail(); }, AGAIN_MS);
  }

  open() {
    this.heard = performance.now();
    this.source = new EventSource("frames");
    this.source.onmessage = (event) => {
      this.heard = performance.now();
      this.take(JSON.parse(event.data));
    };
    this.source.onerror = () => this.fail();
  }

  // An EventSource gives up for good where the server answers with an error.
  fail() {
    if (!this.source) return;
    this.source.close();
    this.source = null;
    this.lost();
    setTimeout(() => this.open(), AGAIN_MS);
    this.heard = Infinity; // until then
  }
}

// The JSON of an address, however long it takes to get it.
export async function ask(address) {
  for (;;) {
    try {
      const answer = await fetch(address);
      if (answer.ok) return await answer.json();
    } catch { /* no server at present */ }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

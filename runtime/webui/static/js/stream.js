// The line to the server. It says within 3 seconds when the server is gone or hangs, and comes back by itself.
//
// Not EventSource: that cannot carry a token, and does not notice a server that keeps its line open and says nothing.

const SILENCE = 2300; // the server signs each second; with a tick it must be said within 3
const WAITS = [100, 500, 1000, 2000];
const HIDDEN = 60_000; // a page nobody looks at gives its line back: a browser has six for each server

export class Line {
  /** `on` is told: frame(kind, data), up(), down(since, reason), denied(). */
  constructor(path, on, headers = () => ({})) {
    Object.assign(this, { path, on, headers });
    this.last = null; // where to go on from
    this.heard = Date.now();
    this.isUp = false;
    this.isDown = false;
    this.tries = 0;
    this.parked = false;
    setInterval(() => this.watch(), 100);
    document.addEventListener("visibilitychange", () => this.seen());
  }

  start() {
    this.control?.abort();
    clearTimeout(this.timer);
    this.run();
  }

  async run() {
    const control = (this.control = new AbortController());
    this.begun = Date.now();
    try {
      await this.listen(control);
    } catch (error) {
      if (control !== this.control || this.parked) return;
      if (!control.signal.aborted) this.lost(); // refused outright: there is nothing to wait for
    }
    if (control !== this.control || this.parked || this.isDenied) return;
    this.timer = setTimeout(() => this.run(), WAITS[Math.min(this.tries++, WAITS.length - 1)]);
  }

  async listen(control) {
    const headers = { ...this.headers() };
    if (this.last !== null) headers["Last-Event-ID"] = String(this.last);
    const answer = await fetch(this.path, { headers, signal: control.signal, cache: "no-store" });
    this.isDenied = answer.status === 401;
    if (this.isDenied) { this.on.denied(); return; }
    if (!answer.ok || !answer.body) throw new Error(`answered ${answer.status}`);
    await this.read(answer.body.getReader());
  }

  async read(reader) {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const frames = text.split("\n\n");
      text = frames.pop();
      for (const one of frames) this.take(one);
    }
  }

  take(text) {
    const fields = Object.fromEntries(text.split("\n").map((line) => {
      const at = line.indexOf(": ");
      return [line.slice(0, at), line.slice(at + 2)];
    }));
    if (!fields.event) return;
    this.heard = Date.now();
    this.tries = 0;
    if (fields.id) this.last = fields.id;
    this.isDown = false;
    if (!this.isUp) { this.isUp = true; this.on.up(); }
    this.on.frame(fields.event, JSON.parse(fields.data));
  }

  watch() {
    if (this.parked || this.isDenied || Date.now() - Math.max(this.heard, this.begun ?? 0) < SILENCE) return;
    this.lost();
    this.control?.abort();
  }

  lost() {
    this.isUp = false;
    if (this.isDown) return;
    this.isDown = true;
    this.on.down(new Date(this.heard));
  }

  seen() {
    clearTimeout(this.parking);
    if (document.hidden) {
      this.parking = setTimeout(() => { this.parked = true; this.control?.abort(); }, HIDDEN);
    } else if (this.parked) {
      this.parked = false;
      this.heard = Date.now();
      this.start();
    }
  }
}

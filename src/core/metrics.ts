/**
 * Counters and gauges in Prometheus' text format 0.0.4. Written here rather than taken from a package, because a counter on
 * the hot path is then one addition, and its number is read only on request.
 */
export class Metrics {
  readonly #read: { name: string; help: string; type: "counter" | "gauge"; value: () => number }[] = [];
  readonly #families = new Map<string, { help: string; series: Map<string, number> }>();
  readonly #histograms: { name: string; help: string; bounds: readonly number[]; counts: number[]; sum: number }[] = [];

  /** Adds a counter that other code keeps. */
  counter(name: string, help: string, value: () => number): void {
    this.#read.push({ name, help, type: "counter", value });
  }

  gauge(name: string, help: string, value: () => number): void {
    this.#read.push({ name, help, type: "gauge", value });
  }

  /** Adds a counter with labels. Label values come from the program and never from a request, so their number is bounded. */
  labelled(name: string, help: string): (labels: string) => void {
    const series = new Map<string, number>();
    this.#families.set(name, { help, series });
    return (labels) => series.set(labels, (series.get(labels) ?? 0) + 1);
  }

  /** Adds a histogram of durations in seconds. */
  histogram(name: string, help: string, bounds: readonly number[]): (seconds: number) => void {
    const histogram = { name, help, bounds, counts: Array<number>(bounds.length + 1).fill(0), sum: 0 };
    this.#histograms.push(histogram);
    return (seconds) => {
      const found = bounds.findIndex((bound) => seconds <= bound);
      const index = found === -1 ? bounds.length : found;
      histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
      histogram.sum += seconds;
    };
  }

  render(): string {
    const lines: string[] = [];
    const head = (name: string, help: string, type: string) => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    };
    for (const { name, help, type, value } of this.#read) {
      head(name, help, type);
      lines.push(`${name} ${value()}`);
    }
    for (const [name, { help, series }] of this.#families) {
      head(name, help, "counter");
      for (const [labels, value] of series) lines.push(`${name}{${labels}} ${value}`);
    }
    for (const { name, help, bounds, counts, sum } of this.#histograms) {
      head(name, help, "histogram");
      let total = 0;
      counts.forEach((count, index) => {
        total += count;
        lines.push(`${name}_bucket{le="${bounds[index] ?? "+Inf"}"} ${total}`);
      });
      lines.push(`${name}_sum ${sum}`, `${name}_count ${total}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

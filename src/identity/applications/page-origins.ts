/** `http://localhost` and `http://127.0.0.1`, with any port. As browsers send them: lower case, no path. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1)(:\d{1,5})?$/;

/** The origins on an application's list. `has` is the question to ask; a loop sees the list only. */
export class PageOrigins extends Set<string> {
  /** @param allowsLoopback every page that this machine serves on a loopback address, listed or not: `sallyport dev` alone */
  constructor(
    listed: Iterable<string>,
    private readonly allowsLoopback: boolean,
  ) {
    super(listed);
  }

  override has(origin: string): boolean {
    return super.has(origin) || (this.allowsLoopback && LOOPBACK.test(origin));
  }
}

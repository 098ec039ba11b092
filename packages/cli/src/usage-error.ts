/** A flag or argument that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly details: { readonly expected?: string; readonly suggestion?: string; readonly hint?: string };

  constructor(message: string, details: UsageError['details'] = {}) {
    super(message);
    this.details = details;
  }
}

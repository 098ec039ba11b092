/** A standard error that is looked at. */
export class Written {
  readonly hasColor = false;
  text = '';

  readonly error = (more: string): void => {
    this.text += more;
  };

  /** The lines, with times and words that nobody can guess masked. */
  get lines(): string[] {
    return this.text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'TOKEN')
      .replaceAll(/\b\d+\.\d{3} /g, '0.000 ')
      .replaceAll(/:\d{10}:caisson_\d+/g, ':NOW:caisson_PID')
      .replaceAll(/in \d+\.\d s/g, 'in 0.0 s')
      .trimEnd()
      .split('\n');
  }
}

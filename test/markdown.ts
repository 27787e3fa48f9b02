/** The code blocks of a page, each with the comment above it that says what a test does with it. */

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** Such as `shows` and `SUCCESS`, of `<!-- shows: SUCCESS -->`; empty where there is no comment. */
  readonly directive: string;
  readonly argument: string;
}

const BLOCK =
  /(?:<!-- (?<directive>[a-z0-9 ]+)(?:: (?<argument>[^\n]*?))? -->\n+)?^(?<indent> *)```(?<language>\w+)\n(?<code>[^]*?)\n\k<indent>```/gm;

export function codeBlocks(page: string): CodeBlock[] {
  return [...page.matchAll(BLOCK)].map(({ groups = {} }) => ({
    language: groups.language ?? '',
    code: (groups.code ?? '').replaceAll(new RegExp(`^${groups.indent ?? ''}`, 'gm'), ''),
    directive: groups.directive ?? '',
    argument: groups.argument ?? '',
  }));
}

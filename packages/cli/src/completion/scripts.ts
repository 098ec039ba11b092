/** The shells that are known. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/*
 * Each asks `caisson __complete SHELL -- WORDS` (of bash: what ends words, and the line), and is told: a line that says
 * whether names of files go there (files, folders, none), then a line for each word: the word, a tab, what it means.
 * Nothing of the line that is completed is evaluated.
 */

const BASH = String.raw`# Completion of caisson for bash. ~/.bashrc: source <(caisson completion bash)
_caisson() {
  local program=$1
  type -P -- "$program" >/dev/null || program=caisson
  local -a said
  mapfile -t said < <("$program" __complete bash -- "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  COMPREPLY=("\${said[@]:1}")
  case \${said[0]} in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
}
complete -F _caisson caisson
`.replaceAll('\\$', '$');

const ZSH = String.raw`#compdef caisson
# Completion of caisson for zsh. ~/.zshrc, after compinit: source <(caisson completion zsh)
_caisson() {
  local program=\${(Q)words[1]} line
  [[ -n \${commands[$program]} || -x $program ]] || program=caisson
  local -a said offers
  said=("\${(@f)$($program __complete zsh -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $said[1] in
    files) compset -P '*='; _files; return ;;
    folders) compset -P '*='; _files -/; return ;;
  esac
  for line in "\${(@)said[2,-1]}"; do
    offers+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}")
  done
  _describe -V caisson offers
}
if [[ $funcstack[1] == _caisson ]]; then _caisson "$@"; else compdef _caisson caisson; fi
`.replaceAll('\\$', '$');

const FISH = String.raw`# Completion of caisson for fish. ~/.config/fish/completions/caisson.fish: caisson completion fish
function __caisson_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l typed (commandline -ct)
    set -l word (string unescape -- "$typed"; or echo -- "$typed")
    set -l said (caisson __complete fish -- $words "$word" 2>/dev/null)
    set -l value (string replace -r -- '^[^=]*=' '' "$word")
    set -l before (string sub -l (math (string length -- "$word") - (string length -- "$value")) -- "$word")
    switch "$said[1]"
        case files
            for path in (__fish_complete_path "$value")
                echo "$before$path"
            end
        case folders
            for path in (__fish_complete_directories "$value" '')
                echo "$before$path"
            end
        case '*'
            printf '%s\n' $said[2..]
    end
end
complete -c caisson -e
complete -c caisson -k -f -a '(__caisson_complete)'
`;

/** What a shell is to read, so that it completes command lines. */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

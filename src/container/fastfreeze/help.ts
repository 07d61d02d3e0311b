import type { Verb } from "./options.js";

const envs = `
  FF_METRICS_RECORDER       a program that is told what was done, as JSON in its first argument
  CRIU_OPTS                 more options for CRIU, with spaces between
  S3_CMD, GS_CMD            commands that copy to and from a store, instead of our own way`;

const passphrase = `
      --passphrase-file <file>    a file whose first line is the image's passphrase; best kept in /dev/shm`;

const verbose = `
  -v, --verbose                   more words; may be repeated`;

export const overview = `fastfreeze: freezes an application into an image, and brings it back

USAGE:
    fastfreeze <SUBCOMMAND>

SUBCOMMANDS:
    run           runs an application: from its image where there is one, else from scratch
    checkpoint    freezes the running application into an image
    extract       writes CRIU's files out of an image into a directory
    wait          waits until no checkpoint and no restore is under way
    install       makes the file system ready for users other than root (in a Dockerfile)
`;

export const helpOf: Readonly<Record<Verb, string>> = {
  run: `USAGE:
    fastfreeze run [OPTIONS] --image-url <url> [--] [app-args]...

OPTIONS:
  -i, --image-url <url>           file:PATH, s3://BUCKET/PATH or gs://BUCKET/PATH
                                  [default: file:$HOME/.fastfreeze/<application>]
      --on-app-ready <cmd>        a shell command for when the application runs${passphrase}
      --preserve-path <path>...   files and directories that travel in the image; may be repeated, or have colons between
      --no-restore                from scratch, even where there is an image
      --allow-bad-image-version   try an image of another version, instead of running from scratch
      --tcp-listen-remap <old:new>...  another port for a listening socket of the image
      --leave-stopped             leave the application stopped after a restore${verbose}

ENVS:
  FF_APP_PATH               the application's PATH
  FF_APP_LD_LIBRARY_PATH    the application's LD_LIBRARY_PATH
  FF_APP_INJECT_<NAME>      the application's variable NAME${envs}

EXIT CODES:
  171         a restore failed, or the look at its manifest: --no-restore would avoid that
  170         something failed before the application was ready
  128+n       the application ended by signal n
  other       the application's own
`,
  checkpoint: `USAGE:
    fastfreeze checkpoint [OPTIONS]

OPTIONS:
      --leave-running             the application goes on
  -i, --image-url <url>           [default: that of run]
      --preserve-path <path>...   beside those of run; may be repeated, or have colons between
      --num-shards <n>            parts that are written side by side [default: 4]
      --cpu-budget <budget>       low: not packed; medium: lz4; high: zstd [default: medium]${passphrase}${verbose}

ENVS:${envs}
`,
  extract: `USAGE:
    fastfreeze extract [OPTIONS] --image-url <url>

OPTIONS:
  -i, --image-url <url>           a path will do
  -o, --output-dir <directory>    [default: the last part of the URL]
      --allow-bad-image-version   read an image of FastFreeze's, whatever version it has${passphrase}${verbose}
`,
  wait: `USAGE:
    fastfreeze wait [OPTIONS]

OPTIONS:
  -t, --timeout <seconds>         fail after so long; decimals are allowed${verbose}
`,
  install: `USAGE:
    fastfreeze install [OPTIONS]

OPTIONS:${verbose}
`,
};

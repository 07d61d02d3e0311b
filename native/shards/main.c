/*
 * shards capture DIRECTORY UID INDEX PACKING THREADS SHARD...
 *   Takes the images of a CRIU (dump --stream, as UID) that finds its socket in DIRECTORY, packs them into the SHARDs and writes
 *   the INDEX. The SHARDs may be FIFOs. The line `add NAME FIFO` on stdin brings another file. After the line `finish` it ends
 *   once all that was sent is written.
 * shards check INDEX TAG PACKING THREADS SHARD...
 *   Looks at every byte.
 * shards serve DIRECTORY UID INDEX TAG PACKING THREADS SHARD...
 *   As check; then gives a CRIU (restore --stream) its images, until stdin ends.
 *
 * shards print NAME INDEX TAG PACKING THREADS SHARD...
 *   Writes one file of the image to stdout.
 *
 * PACKING is plain, lz4 or zstd, followed by `+secret` where the chunks are encrypted. The key comes first on stdin, 32 bytes.
 * Exit codes: 0; 64 wrong usage; 65 the image is damaged; 71 the system refused. The reason is on stderr.
 */
#include "shards.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool parse_number(const char *text, long lowest, long highest, long *number)
{
	char *end;
	*number = strtol(text, &end, 10);
	return *text != '\0' && *end == '\0' && *number >= lowest && *number <= highest;
}

static bool parse_packing(const char *text, struct settings *settings)
{
	static const char *const names[] = { [PLAIN] = "plain", [LZ4] = "lz4", [ZSTD] = "zstd" };
	size_t length = strcspn(text, "+");
	settings->secret = strcmp(text + length, "+secret") == 0;
	for (int i = PLAIN; i <= ZSTD; i++) {
		settings->packing = (enum packing)i;
		if (strncmp(text, names[i], length) == 0 && names[i][length] == '\0')
			return settings->secret || text[length] == '\0';
	}
	return false;
}

/* PACKING THREADS SHARD... */
static bool parse_settings(struct settings *settings, char **words, int count)
{
	long threads;
	settings->level = 1;
	if (count < 3 || count - 2 > MOST_SHARDS || !parse_packing(words[0], settings) ||
	    !parse_number(words[1], 1, MOST_THREADS, &threads))
		return false;
	settings->threads = (int)threads;
	return read_all(STDIN_FILENO, settings->key, KEY);
}

static bool run(const char *verb, char **words, int count)
{
	struct settings settings = { 0 };
	struct index index = { 0 };
	bool captures = strcmp(verb, "capture") == 0, serves = strcmp(verb, "serve") == 0;
	bool checks = strcmp(verb, "check") == 0, prints = strcmp(verb, "print") == 0;
	int places = captures || serves ? 2 : prints ? 1 : 0, known = places + (captures ? 1 : 2);
	long uid = -1;
	if ((!captures && !serves && !checks && !prints) || count <= known ||
	    !parse_settings(&settings, words + known, count - known) ||
	    (places == 2 && !parse_number(words[1], 0, UINT32_MAX - 1, &uid)))
		return false;
	char **shards = words + known + 2;
	int shard_count = count - known - 2;
	if (captures) {
		capture(&settings, words[0], uid, words[2], shards, shard_count);
		return true;
	}
	index_read(&index, &settings, words[places], words[places + 1]);
	struct source *source = source_open(&index, &settings, shards, shard_count);
	if (prints) {
		print(&index, &settings, source, words[0]);
		return true;
	}
	source_check(source);
	if (serves)
		serve(&index, &settings, source, words[0], uid);
	return true;
}

int main(int argc, char **argv)
{
	/* Whoever started it is the only one that it works for. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A pipe that nobody reads is told of by write. */
	signal(SIGPIPE, SIG_IGN);
	return argc > 2 && run(argv[1], argv + 2, argc - 2) ? DONE : WRONG_USAGE;
}

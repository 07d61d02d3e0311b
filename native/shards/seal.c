#include "shards.h"

#include <lz4frame.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct seal {
	const struct settings *settings;
	EVP_CIPHER_CTX *cipher;
	ZSTD_CCtx *zstd;
	ZSTD_DCtx *unzstd;
	LZ4F_dctx *unlz4;
	/* What was packed or unpacked, and what was decrypted. */
	unsigned char *room, *clear;
	size_t size;
};

static const LZ4F_preferences_t lz4 = {
	.frameInfo = { .blockSizeID = LZ4F_max1MB, .blockMode = LZ4F_blockIndependent },
};

size_t seal_most(void)
{
	size_t lz4_most = LZ4F_compressFrameBound(MOST_CHUNK, &lz4);
	return lz4_most > ZSTD_compressBound(MOST_CHUNK) ? lz4_most : ZSTD_compressBound(MOST_CHUNK);
}

struct seal *seal_new(const struct settings *settings)
{
	struct seal *seal = need(calloc(1, sizeof *seal));
	seal->settings = settings;
	seal->size = seal_most();
	seal->room = need(malloc(seal->size));
	seal->clear = need(malloc(seal->size));
	seal->cipher = need(EVP_CIPHER_CTX_new());
	if (EVP_CipherInit_ex(seal->cipher, EVP_aes_256_gcm(), NULL, settings->key, NULL, 1) != 1)
		refuse("AES-256-GCM does not start");
	return seal;
}

void seal_free(struct seal *seal)
{
	EVP_CIPHER_CTX_free(seal->cipher);
	ZSTD_freeCCtx(seal->zstd);
	ZSTD_freeDCtx(seal->unzstd);
	LZ4F_freeDecompressionContext(seal->unlz4);
	free(seal->room);
	free(seal->clear);
	free(seal);
}

/* A key meets no nonce twice: a chunk's is its number, the index's is of another domain. */
static void begin(struct seal *seal, enum domain domain, uint64_t number, bool sealing)
{
	unsigned char nonce[12] = { (unsigned char)domain };
	memcpy(nonce + 4, &number, sizeof number);
	if (EVP_CipherInit_ex(seal->cipher, NULL, NULL, NULL, nonce, sealing) != 1)
		refuse("AES-256-GCM does not begin");
}

static void feed(struct seal *seal, unsigned char *out, const void *bytes, size_t size)
{
	int length;
	if (EVP_CipherUpdate(seal->cipher, out, &length, bytes, (int)size) != 1)
		refuse("AES-256-GCM does not go on");
}

/* With the tag where it opens, into it where it closes. False: the tag is another. */
static bool finish(struct seal *seal, unsigned char *tag, bool sealing)
{
	unsigned char none[16];
	int length;
	if (!sealing && EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_GCM_SET_TAG, TAG, tag) != 1)
		refuse("AES-256-GCM takes no tag");
	if (EVP_CipherFinal_ex(seal->cipher, none, &length) != 1)
		return false;
	return !sealing || EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
}

void seal_tag(struct seal *seal, enum domain domain, const void *bytes, size_t size, unsigned char *tag)
{
	begin(seal, domain, 0, true);
	feed(seal, NULL, bytes, size);
	if (!finish(seal, tag, true))
		refuse("AES-256-GCM gives no tag");
}

/* One frame, so that a file's chunks one after the other are what the lz4 and zstd programs read. */
static uint32_t packed(struct seal *seal, const unsigned char *bytes, size_t size)
{
	size_t length;
	if (seal->settings->packing == LZ4) {
		length = LZ4F_compressFrame(seal->room, seal->size, bytes, size, &lz4);
	} else {
		if (seal->zstd == NULL)
			seal->zstd = need(ZSTD_createCCtx());
		length = ZSTD_compressCCtx(seal->zstd, seal->room, seal->size, bytes, size, seal->settings->level);
	}
	/* An error is a length above all others. */
	if (length > seal->size)
		refuse("%zu bytes cannot be packed", size);
	return (uint32_t)length;
}

const unsigned char *seal_close(struct seal *seal, uint64_t number, struct chunk *chunk, unsigned char *bytes)
{
	chunk->stored = chunk->size;
	if (seal->settings->packing != PLAIN) {
		chunk->stored = packed(seal, bytes, chunk->size);
		bytes = seal->room;
	}
	begin(seal, OF_CHUNK, number, true);
	feed(seal, seal->settings->secret ? bytes : NULL, bytes, chunk->stored);
	if (!finish(seal, chunk->tag, true))
		refuse("AES-256-GCM gives no tag");
	return bytes;
}

const unsigned char *seal_check(struct seal *seal, uint64_t number, const struct chunk *chunk, const unsigned char *stored)
{
	unsigned char tag[TAG];
	memcpy(tag, chunk->tag, TAG);
	begin(seal, OF_CHUNK, number, false);
	feed(seal, seal->settings->secret ? seal->clear : NULL, stored, chunk->stored);
	if (!finish(seal, tag, false))
		damaged("shard %d is damaged: the %u bytes from %llu on are not what was stored", chunk->shard + 1,
			chunk->stored, (unsigned long long)chunk->shard_at);
	return seal->settings->secret ? seal->clear : stored;
}

static size_t unpack_lz4(struct seal *seal, const unsigned char *stored, size_t size)
{
	size_t room = MOST_CHUNK, left = size;
	if (seal->unlz4 == NULL && LZ4F_isError(LZ4F_createDecompressionContext(&seal->unlz4, LZ4F_VERSION)))
		refuse("no memory");
	LZ4F_resetDecompressionContext(seal->unlz4);
	size_t more = LZ4F_decompress(seal->unlz4, seal->room, &room, stored, &left, NULL);
	return more == 0 && left == size ? room : 0;
}

static size_t unpack_zstd(struct seal *seal, const unsigned char *stored, size_t size)
{
	if (seal->unzstd == NULL)
		seal->unzstd = need(ZSTD_createDCtx());
	return ZSTD_decompressDCtx(seal->unzstd, seal->room, MOST_CHUNK, stored, size);
}

const unsigned char *seal_open(struct seal *seal, uint64_t number, const struct chunk *chunk, const unsigned char *stored)
{
	const unsigned char *bytes = seal_check(seal, number, chunk, stored);
	if (seal->settings->packing == PLAIN)
		return bytes;
	size_t size = (seal->settings->packing == LZ4 ? unpack_lz4 : unpack_zstd)(seal, bytes, chunk->stored);
	if (size != chunk->size)
		damaged("shard %d is damaged: the chunk at %llu does not unpack to %u bytes", chunk->shard + 1,
			(unsigned long long)chunk->shard_at, chunk->size);
	return seal->room;
}

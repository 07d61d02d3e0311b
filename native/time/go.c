/*
 * Go's runtime reads the clock by the kernel's vDSO, not by the C library, and finds it through the auxiliary vector. A Go program
 * that is linked dynamically gets a vDSO there whose clock is ours.
 */
#include "virtual.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#if defined(__x86_64__)
#define CLOCK_NAME "__vdso_clock_gettime"
#define VERSION_NAME "LINUX_2.6"
enum { VERSION_HASH = 0x3ae75f6 };
#else
#define CLOCK_NAME "__kernel_clock_gettime"
#define VERSION_NAME "LINUX_2.6.39"
enum { VERSION_HASH = 0x75fcb89 };
#endif
static const char names[] = "\0" CLOCK_NAME "\0" VERSION_NAME;

/* The first of each of these is nothing; versions below 2 have a meaning of their own. */
enum { CLOCK_NAMED = 1, VERSION_NAMED = CLOCK_NAMED + sizeof CLOCK_NAME };
enum { CLOCK_GETTIME = 1, SYMBOLS };
enum { VERSION = 2, ENTRIES = 5 };

/* An ELF object as Go's vdso_linux.go reads one: a segment, the dynamic section, and what that leads to. */
static struct {
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[2];
	/* And one that ends them. */
	ElfW(Dyn) dynamic[ENTRIES + 1];
	ElfW(Sym) symbols[SYMBOLS];
	ElfW(Versym) symbol_versions[SYMBOLS];
	struct {
		ElfW(Verdef) definition;
		ElfW(Verdaux) name;
	} version;
	struct {
		uint32_t buckets, chains, bucket[1], chain[SYMBOLS];
	} hash;
	char names[sizeof names];
} object;

static ElfW(Addr) offset_of(const void *part)
{
	return (ElfW(Addr))part - (ElfW(Addr))&object;
}

static ElfW(Dyn) entry(ElfW(Sxword) tag, const void *part)
{
	return (ElfW(Dyn)){.d_tag = tag, .d_un.d_ptr = offset_of(part)};
}

static void fill_tables(void)
{
	memcpy(object.names, names, sizeof names);
	object.symbols[CLOCK_GETTIME] = (ElfW(Sym)){
		.st_name = CLOCK_NAMED,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = 1,
		/* From this object, wherever it is. */
		.st_value = (ElfW(Addr))&clock_gettime - (ElfW(Addr))&object,
	};
	object.symbol_versions[CLOCK_GETTIME] = VERSION;
	object.version.definition = (ElfW(Verdef)){
		.vd_version = VER_DEF_CURRENT,
		.vd_ndx = VERSION,
		.vd_cnt = 1,
		.vd_hash = VERSION_HASH,
		.vd_aux = sizeof object.version.definition,
	};
	object.version.name.vda_name = VERSION_NAMED;
	object.hash.buckets = 1;
	object.hash.chains = SYMBOLS;
	object.hash.bucket[0] = CLOCK_GETTIME;
}

static void fill_object(void)
{
	memcpy(object.header.e_ident, ELFMAG, SELFMAG);
	object.header.e_ident[EI_CLASS] = ELFCLASS64;
	object.header.e_type = ET_DYN;
	object.header.e_phoff = offset_of(object.segments);
	object.header.e_phentsize = sizeof object.segments[0];
	object.header.e_phnum = 2;
	object.segments[0] = (ElfW(Phdr)){.p_type = PT_LOAD, .p_memsz = sizeof object};
	object.segments[1] = (ElfW(Phdr)){
		.p_type = PT_DYNAMIC,
		.p_offset = offset_of(object.dynamic),
		.p_vaddr = offset_of(object.dynamic),
		.p_memsz = sizeof object.dynamic,
	};
	object.dynamic[0] = entry(DT_STRTAB, object.names);
	object.dynamic[1] = entry(DT_SYMTAB, object.symbols);
	object.dynamic[2] = entry(DT_HASH, &object.hash);
	object.dynamic[3] = entry(DT_VERSYM, object.symbol_versions);
	object.dynamic[4] = entry(DT_VERDEF, &object.version);
	fill_tables();
}

static int has_go_note(const char *note, const char *end)
{
	while (note + sizeof(ElfW(Nhdr)) <= end) {
		const ElfW(Nhdr) *head = (const ElfW(Nhdr) *)note;
		if (head->n_namesz >= sizeof "Go" && strcmp(note + sizeof *head, "Go") == 0)
			return 1;
		note += sizeof *head + ((head->n_namesz + 3u) & ~3u) + ((head->n_descsz + 3u) & ~3u);
	}
	return 0;
}

/* The first object is the program itself. Go's linker leaves its build id there, named Go. */
static int look_at_program(struct dl_phdr_info *program, size_t size, void *is_go)
{
	(void)size;
	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &program->dlpi_phdr[i];
		const char *at = (const char *)(program->dlpi_addr + segment->p_vaddr);
		if (segment->p_type == PT_NOTE && has_go_note(at, at + segment->p_memsz))
			*(int *)is_go = 1;
	}
	return 1;
}

/* @param environment as the kernel left it on the stack: the auxiliary vector comes after it. */
void give_go_a_clock(char **environment)
{
	int is_go = 0;
	dl_iterate_phdr(look_at_program, &is_go);
	if (!is_go || environment == NULL)
		return;
	fill_object();
	while (*environment != NULL)
		environment++;
	for (ElfW(auxv_t) *value = (ElfW(auxv_t) *)(environment + 1); value->a_type != AT_NULL; value++)
		if (value->a_type == AT_SYSINFO_EHDR)
			value->a_un.a_val = (ElfW(Addr))&object;
}

#include "torture.h"

/* Seeds 1 to 3 are the standing regions'; those that come and go count on from 4, children's from 100. */
enum { ARENA = 1, INHERITANCE = 2, COMMON = 3, FIRST_GUEST = 4, GUEST_SEEDS = 90, GUESTS = 8 };
enum { SMALL = MEGABYTE / PAGE };

struct events events;
static struct region arena, inheritance, common;
static struct region guests[GUESTS];
static int guest_count;
static uint64_t guests_mapped;
/* Writes to what was unmapped since. */
static uint64_t writes_gone;

void churn_prepare(size_t arena_pages)
{
	region_map(&arena, arena_pages, ARENA, PRIVATE);
	region_map(&inheritance, SMALL, INHERITANCE, INHERITED);
	region_map(&common, SMALL, COMMON, SHARED);
	region_fill(&arena, 1);
	region_fill(&inheritance, 1);
	region_fill(&common, 1);
}

static struct region *any_guest(void)
{
	return guest_count == 0 ? &arena : &guests[random_below((uint64_t)guest_count)];
}

static void write_anywhere(struct region *region)
{
	region_write(region, random_below(region->pages));
}

/* Of a hundred pages that are written 94 lie in the arena. */
void churn_write(uint64_t number)
{
	for (; number > 0; number--) {
		uint64_t choice = random_below(100);
		write_anywhere(choice < 94 ? &arena : choice < 96 ? &inheritance : choice < 98 ? &common : any_guest());
	}
}

static void unmap_oldest(void)
{
	writes_gone += guests[0].writes;
	region_unmap(&guests[0]);
	guest_count--;
	for (int each = 0; each < guest_count; each++)
		guests[each] = guests[each + 1];
	events.unmapped++;
}

static void map_guest(void)
{
	if (guest_count == GUESTS)
		unmap_oldest();
	struct region *guest = &guests[guest_count++];
	region_map(guest, SMALL / 2 + random_below(SMALL), FIRST_GUEST + guests_mapped++ % GUEST_SEEDS, PRIVATE);
	region_fill(guest, 1 + random_below(3));
	events.mapped++;
}

static void drop_pages(struct region *region)
{
	size_t pages = 8 + random_below(57);
	region_drop(region, random_below(region->pages - pages), pages);
	events.dropped++;
}

static void move_guest(void)
{
	if (guest_count == 0)
		return;
	struct region *guest = any_guest();
	size_t most = 4 * SMALL;
	region_move(guest, guest->pages < most ? guest->pages + 32 : guest->pages);
	events.moved++;
}

static void replace_guest(void)
{
	if (guest_count == 0)
		return;
	region_replace(any_guest());
	events.replaced++;
}

static void end_child(void)
{
	if (family_size() == 0)
		return;
	events.bad_exits += !family_end_oldest();
	events.ended++;
}

static void fork_child(void)
{
	if (family_size() == MOST_CHILDREN)
		end_child();
	family_fork(&inheritance);
	events.forked++;
}

static void exec_child(void)
{
	if (family_size() == MOST_CHILDREN)
		end_child();
	family_exec();
	events.executed++;
}

static void blink(void)
{
	events.bad_exits += !family_blink();
	events.blinked++;
}

static void drop_from_arena(void)
{
	drop_pages(&arena);
}

static void drop_from_guest(void)
{
	drop_pages(any_guest());
}

/* One thing that moves memory about, in turn; twice as many are born as end. */
void churn_step(void)
{
	static void (*const turns[])(void) = {
		map_guest, fork_child, drop_from_arena, move_guest, exec_child,     map_guest,  drop_from_guest,
		blink,     end_child,  replace_guest,   fork_child, drop_from_arena, unmap_oldest,
	};
	static size_t turn;
	turns[turn]();
	turn = (turn + 1) % (sizeof turns / sizeof *turns);
}

/* `writes` counts also what is gone, and is never less than at an earlier time. */
void churn_verify(struct account *account)
{
	region_verify(&arena, account);
	region_verify(&inheritance, account);
	region_verify(&common, account);
	for (int each = 0; each < guest_count; each++)
		region_verify(&guests[each], account);
	account->writes += writes_gone;
	family_verify(account);
}

/* Flips one bit of the arena past the books: what a verification must find. 0 where there is no such page. */
int churn_flip(uint64_t page)
{
	if (page >= arena.pages)
		return 0;
	arena.at[page * WORDS + WORDS / 2] ^= 1;
	return 1;
}

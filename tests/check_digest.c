/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include "check_main.h"

/* Of FIPS 180-4's own examples, and of nothing. */
static const struct {
	const char *text, *hex;
} examples[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb924"
	      "27ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223"
		 "b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039"
		"a33ce45964ff2167f6ecedd419db06c1" },
};

static struct digest *new_digest(void)
{
	struct avml_error err;
	struct digest *d = digest_new(&err);

	ck_assert_ptr_nonnull(d);
	return d;
}

START_TEST(digest_examples_are_right)
{
	struct digest *d = new_digest();
	char hex[DIGEST_HEX_SIZE];

	ck_assert_int_eq(
		digest_add(d, examples[_i].text, strlen(examples[_i].text)), 0);
	ck_assert_int_eq(digest_end(d, hex), 0);
	ck_assert_str_eq(hex, examples[_i].hex);
	digest_free(d);
}
END_TEST

/* A million times "a", in pieces of every length. */
START_TEST(digest_pieces_do_not_matter)
{
	static char bytes[1000];
	struct digest *d = new_digest();
	char hex[DIGEST_HEX_SIZE];
	size_t left = 1000000;

	memset(bytes, 'a', sizeof(bytes));
	for (size_t len = 0; left > 0; len = (len + 1) % sizeof(bytes)) {
		const size_t part = len < left ? len : left;

		ck_assert_int_eq(digest_add(d, bytes, part), 0);
		left -= part;
	}
	ck_assert_int_eq(digest_end(d, hex), 0);
	ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67"
			      "f1809a48a497200e046d39ccc7112cd0");
	digest_free(d);
}
END_TEST

/* A copy is of what came before it, and stands alone from then on. */
START_TEST(digest_copy_goes_its_own_way)
{
	struct digest *d = new_digest(), *copy = new_digest();
	char hex[DIGEST_HEX_SIZE];

	ck_assert_int_eq(digest_add(copy, "other", 5), 0);
	ck_assert_int_eq(digest_add(d, "abc", 3), 0);
	ck_assert_int_eq(digest_copy(copy, d), 0);
	ck_assert_int_eq(digest_add(d, "def", 3), 0);
	ck_assert_int_eq(digest_end(copy, hex), 0);
	ck_assert_str_eq(hex, examples[1].hex);
	ck_assert_int_eq(digest_end(d, hex), 0);
	ck_assert_str_ne(hex, examples[1].hex);
	digest_free(d);
	digest_free(copy);
}
END_TEST

static Suite *digest_suite(void)
{
	Suite *suite = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_loop_test(
		tc, digest_examples_are_right, 0, TEST_COUNT(examples));
	tcase_add_test(tc, digest_pieces_do_not_matter);
	tcase_add_test(tc, digest_copy_goes_its_own_way);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(digest_suite)

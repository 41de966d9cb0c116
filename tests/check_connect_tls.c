/* SPDX-License-Identifier: MIT */
/*
 * A connection inside of TLS, to receivers with right certificates and with
 * wrong ones; of two threads, the test's and the receiver's.
 */
#include "net/connect.h"

#include "check_tls.h"

#define WRONG_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* --- ends ----------------------------------------------------------------- */

static const struct {
	void (*treat)(struct receiver *r, SSL *ssl);
	size_t len;
	bool unsure;
} good[] = {
	{ takes_all, LONG_LEN, false },
	{ takes_all, 1, false },
	{ takes_all, 0, false },
	{ talks, LONG_LEN, false },
	{ closes_without_a_word, LONG_LEN, true },
};

START_TEST(connect_tls_all_arrives)
{
	struct receiver r;

	make_identities();
	r = receiver_new(good[_i].treat, &own);
	expect_arrival(&r, good[_i].len, good[_i].unsure);
	release(&r);
}
END_TEST

START_TEST(connect_tls_that_breaks_off_is_an_error)
{
	struct receiver r;
	bool unsure = false;

	make_identities();
	r = receiver_new(goes_away, &own);
	ck_assert_int_eq(connect_to(&r), 0);
	ck_assert_int_lt(send_all(LONG_LEN, &unsure), 0);
	ck_assert(!unsure);
	receiver_stop(&r);
	ck_assert_ptr_nonnull(strstr(text, "the receiver has gone away"));
	release(&r);
}
END_TEST

START_TEST(connect_tls_that_is_reset_at_its_end_is_an_error)
{
	struct receiver r;
	bool unsure = false;

	make_identities();
	r = receiver_new(resets_at_the_end, &own);
	ck_assert_int_eq(connect_to(&r), 0);
	ck_assert_int_eq(send_all(1000, &unsure), -ECONNRESET);
	ck_assert(!unsure);
	receiver_stop(&r);
	ck_assert_str_eq(text, "the receiver did not confirm the end: "
			       "Connection reset by peer");
	ck_assert_uint_eq(r.len, 1000);
	release(&r);
}
END_TEST

/* What it cannot have read, since not even its system has it. */
START_TEST(connect_tls_end_wants_all_acknowledged)
{
	struct receiver r;
	bool unsure = false;

	make_identities();
	r = receiver_new(says_so_unread, &own);
	ck_assert_int_eq(connect_to(&r), 0);
	/* More than its room, and less than both sides'. */
	ck_assert_int_eq(send_all(300000, &unsure), -ECONNRESET);
	ck_assert(!unsure);
	receiver_stop(&r);
	ck_assert_str_eq(
		text, "the receiver ended TLS before it had the image's end");
	release(&r);
}
END_TEST

/* It goes on reading, and drops it. */
START_TEST(connect_tls_that_is_ended_early_is_an_error)
{
	struct receiver r;
	bool unsure = false;

	make_identities();
	r = receiver_new(says_so_early, &own);
	/* Before anything is sent, if that is seen by then. */
	if (connect_to(&r) == 0)
		ck_assert_int_lt(send_all(LONG_LEN, &unsure), 0);
	ck_assert(!unsure);
	receiver_stop(&r);
	ck_assert_msg(strstr(text, "the receiver ended TLS"), "%s", text);
	release(&r);
}
END_TEST

START_TEST(connect_tls_end_is_waited_for)
{
	struct receiver r;
	bool unsure = false;

	make_identities();
	remote.stall_s = 1;
	r = receiver_new(never_closes, &own);
	ck_assert_int_eq(connect_to(&r), 0);
	ck_assert_int_eq(send_all(1000, &unsure), -ETIMEDOUT);
	receiver_stop(&r);
	ck_assert_str_eq(
		text, "the receiver did not confirm the end within 1 s");
	ck_assert_uint_eq(r.len, 1000);
	release(&r);
}
END_TEST

/* --- whom to trust -------------------------------------------------------- */

START_TEST(connect_tls_name_may_be_one_of_dns)
{
	struct receiver r;

	make_identities();
	r = receiver_new(takes_all, &own);
	snprintf(to, sizeof(to), "localhost:%u", r.port);
	expect_arrival(&r, 1000, false);
	release(&r);
}
END_TEST

static const struct {
	struct wish wish;
	enum { BY_OURS, BY_OTHER, BY_ITSELF } by;
	const char *says;
} bad[] = {
	{ { "host", "IP:127.0.0.2,DNS:example.org", false, -DAY, DAY }, BY_OURS,
		"no alternative certificate subject name matches" },
	/* A common name alone counts for nobody, if there are others. */
	{ { "127.0.0.1", "DNS:example.org", false, -DAY, DAY }, BY_OURS,
		"no alternative certificate subject name matches" },
	{ { "host", HERE, false, -2 * DAY, -DAY }, BY_OURS,
		"certificate has expired" },
	{ { "host", HERE, false, DAY, 2 * DAY }, BY_OURS,
		"certificate is not yet valid" },
	{ { "host", HERE, false, -DAY, DAY }, BY_OTHER,
		"unable to get local issuer certificate" },
	{ { "host", HERE, false, -DAY, DAY }, BY_ITSELF,
		"self-signed certificate" },
};

START_TEST(connect_tls_wrong_certificate_is_refused)
{
	struct identity id;
	struct receiver r;

	make_identities();
	id = identity_new(bad[_i].wish, bad[_i].by == BY_OURS	 ? &authority
					: bad[_i].by == BY_OTHER ? &other
								 : NULL);
	r = receiver_new(takes_all, &id);
	remote.retries = 3;
	ck_assert_int_lt(connect_to(&r), 0);
	receiver_stop(&r);
	ck_assert_msg(strstr(text, bad[_i].says), "%s", text);
	/* It is as wrong the next time. */
	ck_assert_str_eq(notices, "");
	ck_assert_uint_eq(r.len, 0);
	identity_release(&id);
	release(&r);
}
END_TEST

START_TEST(connect_tls_pin_is_of_the_key)
{
	char pin[64], both[160];
	struct receiver r;

	make_identities();
	identity_pin(&own, pin);
	snprintf(both, sizeof(both), "%s;%s", WRONG_PIN, pin);
	r = receiver_new(takes_all, &own);
	remote.pin = _i == 0 ? pin : both;
	expect_arrival(&r, 1000, false);
	release(&r);
}
END_TEST

START_TEST(connect_tls_wrong_pin_is_refused)
{
	struct receiver r;
	char pin[64];

	make_identities();
	/* The issuer's is not the peer's. */
	identity_pin(&authority, pin);
	r = receiver_new(takes_all, &own);
	remote.pin = _i == 0 ? pin : WRONG_PIN;
	ck_assert_int_lt(connect_to(&r), 0);
	receiver_stop(&r);
	ck_assert_ptr_nonnull(strstr(text, "pinned public key"));
	ck_assert_uint_eq(r.len, 0);
	release(&r);
}
END_TEST

/* A right pin does not make up for a wrong certificate. */
START_TEST(connect_tls_pin_is_not_enough)
{
	const struct wish here = { "host", HERE, false, -DAY, DAY };
	struct identity id;
	struct receiver r;
	char pin[64];

	make_identities();
	id = identity_new(here, &other);
	identity_pin(&id, pin);
	r = receiver_new(takes_all, &id);
	remote.pin = pin;
	ck_assert_int_lt(connect_to(&r), 0);
	receiver_stop(&r);
	ck_assert_uint_eq(r.len, 0);
	identity_release(&id);
	release(&r);
}
END_TEST

/* --- protocols ------------------------------------------------------------ */

static const struct {
	int version;
	bool good;
} versions[] = {
	{ TLS1_3_VERSION, true },
	{ TLS1_2_VERSION, true },
	{ TLS1_1_VERSION, false },
	{ TLS1_VERSION, false },
};

START_TEST(connect_tls_old_protocol_is_refused)
{
	struct receiver r;

	make_identities();
	r = receiver_new(takes_all, &own);
	/* Which nobody else would do any more. */
	ck_assert_int_eq(
		SSL_CTX_set_cipher_list(r.ctx, "DEFAULT:@SECLEVEL=0"), 1);
	SSL_CTX_set_min_proto_version(r.ctx, versions[_i].version);
	SSL_CTX_set_max_proto_version(r.ctx, versions[_i].version);
	if (versions[_i].good) {
		expect_arrival(&r, 1000, false);
	} else {
		ck_assert_int_lt(connect_to(&r), 0);
		receiver_stop(&r);
		ck_assert(!r.shook_hands);
		ck_assert_ptr_nonnull(strstr(text, "protocol version"));
	}
	release(&r);
}
END_TEST

/* --- what is shown -------------------------------------------------------- */

static const int mutual_versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct receiver mutual(int i, const struct identity *issuer)
{
	struct receiver r;

	make_identities();
	r = receiver_new(takes_all, &own);
	SSL_CTX_set_max_proto_version(r.ctx, mutual_versions[i]);
	want_client(&r, issuer);
	return r;
}

START_TEST(connect_tls_certificate_is_shown)
{
	struct receiver r = mutual(_i, &authority);

	remote.cert = identity_file(&client, false);
	remote.key = identity_file(&client, true);
	expect_arrival(&r, 1000, false);
	ck_assert(r.saw_client);
	release(&r);
}
END_TEST

/* None, or one that the receiver does not want: before anything is sent. */
START_TEST(connect_tls_refusal_is_heard_at_once)
{
	struct receiver r = mutual(_i / 2, _i % 2 ? &other : &authority);

	if (_i % 2) {
		remote.cert = identity_file(&client, false);
		remote.key = identity_file(&client, true);
	}
	ck_assert_int_lt(connect_to(&r), 0);
	receiver_stop(&r);
	/* In TLS 1.3 this side is through before the other one has looked. */
	ck_assert_msg(strstr(text, "alert") ||
			      (_i / 2 == 1 && strstr(text, "at once: Failure")),
		"%s", text);
	ck_assert_uint_eq(r.len, 0);
	release(&r);
}
END_TEST

/* Another's key is told before it comes to a connection. */
START_TEST(connect_tls_key_goes_with_its_certificate)
{
	struct receiver r = mutual(1, &authority);

	remote.cert = identity_file(&client, false);
	remote.key = identity_file(&own, true);
	ck_assert_int_lt(connect_to(&r), 0);
	receiver_stop(&r);
	ck_assert(!r.shook_hands);
	ck_assert_ptr_nonnull(strstr(text, "private key"));
	release(&r);
}
END_TEST

/* Nobody is asked for it, least of all on a terminal. */
START_TEST(connect_tls_key_has_no_password)
{
	struct receiver r = mutual(1, &authority);

	remote.cert = identity_file(&client, false);
	remote.key = identity_file_with(&client, true, "parole");
	ck_assert_int_lt(connect_to(&r), 0);
	receiver_stop(&r);
	ck_assert(!r.shook_hands);
	ck_assert_ptr_nonnull(strstr(text, "private key"));
	release(&r);
}
END_TEST

static Suite *connect_tls_suite(void)
{
	Suite *suite = suite_create("connect_tls");
	TCase *tcase = tcase_create("connect_tls");

	tcase_add_loop_test(
		tcase, connect_tls_all_arrives, 0, TEST_COUNT(good));
	tcase_add_test(tcase, connect_tls_that_breaks_off_is_an_error);
	tcase_add_test(tcase, connect_tls_that_is_reset_at_its_end_is_an_error);
	tcase_add_test(tcase, connect_tls_end_wants_all_acknowledged);
	tcase_add_test(tcase, connect_tls_that_is_ended_early_is_an_error);
	tcase_add_test(tcase, connect_tls_end_is_waited_for);
	tcase_add_test(tcase, connect_tls_name_may_be_one_of_dns);
	tcase_add_loop_test(tcase, connect_tls_wrong_certificate_is_refused, 0,
		TEST_COUNT(bad));
	tcase_add_loop_test(tcase, connect_tls_pin_is_of_the_key, 0, 2);
	tcase_add_loop_test(tcase, connect_tls_wrong_pin_is_refused, 0, 2);
	tcase_add_test(tcase, connect_tls_pin_is_not_enough);
	tcase_add_loop_test(tcase, connect_tls_old_protocol_is_refused, 0,
		TEST_COUNT(versions));
	tcase_add_loop_test(tcase, connect_tls_certificate_is_shown, 0, 2);
	tcase_add_loop_test(tcase, connect_tls_refusal_is_heard_at_once, 0, 4);
	tcase_add_test(tcase, connect_tls_key_goes_with_its_certificate);
	tcase_add_test(tcase, connect_tls_key_has_no_password);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(connect_tls_suite)

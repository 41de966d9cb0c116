/* SPDX-License-Identifier: MIT */
#include "net/xml.h"

#include "check_main.h"

#include <expat.h>

#include "check_wrap.h"

/* Parsers that there are at the moment, and whether there can be another. */
static int parsers;
static bool no_parser;

XML_Parser WRAP(XML_ParserCreateNS)(const XML_Char *encoding, XML_Char sep);
XML_Parser REAL(XML_ParserCreateNS)(const XML_Char *encoding, XML_Char sep);
void WRAP(XML_ParserFree)(XML_Parser parser);
void REAL(XML_ParserFree)(XML_Parser parser);

XML_Parser WRAP(XML_ParserCreateNS)(const XML_Char *encoding, XML_Char sep)
{
	if (no_parser)
		return NULL;
	parsers++;
	return REAL(XML_ParserCreateNS)(encoding, sep);
}

void WRAP(XML_ParserFree)(XML_Parser parser)
{
	parsers--;
	REAL(XML_ParserFree)(parser);
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define SPACE "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static const struct {
	const char *text, *element, *value; /* NULL: not found */
} cases[] = {
	/* As services answer. */
	{ HEAD "<InitiateMultipartUploadResult " SPACE "><Bucket>b</Bucket>"
	       "<Key>k</Key><UploadId>VXBsb2Fk-1_.~</UploadId>"
	       "</InitiateMultipartUploadResult>",
		"UploadId", "VXBsb2Fk-1_.~" },
	{ HEAD "<CompleteMultipartUploadResult " SPACE "><ETag>"
	       "&quot;3858f6-9&quot;</ETag></CompleteMultipartUploadResult>",
		"ETag", "\"3858f6-9\"" },
	{ " \r\n" HEAD "<Error><Code>x</Code></Error>", "Code", "x" },
	{ HEAD "<Error>\n <Code>InternalError</Code>\n <Message>\n  We broke;"
	       "\n\ttry again.\n </Message>\n</Error>\n\n",
		"Message", "We broke;  try again." },
	{ "\xef\xbb\xbf" HEAD "<Error><Code>InvalidBlockList</Code></Error>",
		"Code", "InvalidBlockList" },
	{ "<a:Error xmlns:a=\"urn:x\"><a:Code>c</a:Code></a:Error>", "Code",
		"c" },
	/* The first, at whatever depth, and nothing of what is inside of it. */
	{ "<e><x><Code>1</Code></x><Code>2</Code></e>", "Code", "1" },
	{ "<e><Code>1<x>2<Code>3</Code></x>4</Code><Code>5</Code></e>", "Code",
		"14" },
	{ "<Code>c</Code>", "Code", "c" },
	{ "<e><Code/><Code>2</Code></e>", "Code", "" },
	{ "<e><Code> </Code></e>", "Code", "" },
	{ "<e><Codes>1</Codes><code>2</code></e>", "Code", NULL },
	{ "<e Code=\"1\">Code</e>", "Code", NULL },
	/* Other ways to write the same. */
	{ "<e><Code><![CDATA[<a&b>]]></Code></e>", "Code", "<a&b>" },
	{ "<e><Code>a<!-- b --><?c d?>e</Code></e>", "Code", "ae" },
	{ "<e><Code>&#x41;&#66;&lt;</Code></e>", "Code", "AB<" },
	{ "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><C>\xe4</C>", "C",
		"\xc3\xa4" },
	/* As long as there is room, and longer. */
	{ "<e><C>0123456789012345678901234567890</C></e>", "C",
		"0123456789012345678901234567890" },
	{ "<e><C>01234567890123456789012345678901</C></e>", "C", NULL },
	{ "<e><C>0123456789012345<!-- -->6789012345678901</C></e>", "C", NULL },
	{ "<e><C>0123456789&#48;123456789&#48;123456789&#48;12</C></e>", "C",
		NULL },
	/* Not well-formed, if only behind it. */
	{ "", "Code", NULL },
	{ "Code", "Code", NULL },
	{ "<html><p>Code<br></html>", "p", NULL },
	{ "<e><Code>1</Code>", "Code", NULL },
	{ "<e><Code>1</Code></e>x", "Code", NULL },
	{ "<e><Code>1</Code></e><e/>", "Code", NULL },
	{ "<e><Code>1</Code><b:x/></e>", "Code", NULL },
	{ "<e><Code>\xff</Code></e>", "Code", NULL },
	{ "<e><Code>&nbsp;</Code></e>", "Code", NULL },
	{ "<?xml version=\"1.0\" encoding=\"x-mine\"?><C>1</C>", "C", NULL },
	/* What a terminal might obey. */
	{ "<e><Code>a&#27;[2J</Code></e>", "Code", NULL },
	{ "<e><Code>a\033[2J</Code></e>", "Code", NULL },
	{ "<e><Code>a&#127;</Code></e>", "Code", NULL },
	{ "<e><Code>a&#x9b;2J</Code></e>", "Code", NULL },
	{ "<e><Code>a&#xa0;</Code></e>", "Code", "a\xc2\xa0" },
	/* Documents with a type: entities, of their own or of files. */
	{ "<!DOCTYPE e><e><Code>1</Code></e>", "Code", NULL },
	{ "<!DOCTYPE e [<!ENTITY a \"1\">]><e><C>&a;</C></e>", "C", NULL },
	{ "<!DOCTYPE e SYSTEM \"file:///etc/passwd\"><e><C>1</C></e>", "C",
		NULL },
	{ "<!DOCTYPE e [<!ENTITY a SYSTEM \"/etc/passwd\">]><e><C>&a;</C></e>",
		"C", NULL },
};

START_TEST(xml_elements_are_found)
{
	char value[32] = "x";
	const char *wanted = cases[_i].value;
	const bool found = xml_find(cases[_i].text, strlen(cases[_i].text),
		cases[_i].element, value, sizeof(value));

	ck_assert_msg(found == (wanted != NULL), "%s: %s, '%s'", cases[_i].text,
		found ? "found" : "not found", value);
	ck_assert_str_eq(value, wanted ? wanted : "");
	ck_assert_int_eq(parsers, 0);
}
END_TEST

static const struct {
	const char *text, *name;
} roots[] = {
	{ HEAD "<Error><Code>x</Code></Error>", "Error" },
	{ HEAD "<CompleteMultipartUploadResult " SPACE "/>",
		"CompleteMultipartUploadResult" },
	{ "<s3:Error xmlns:s3=\"urn:x\"/>", "Error" },
	{ "<Error><Code>x</Code>", NULL },
	{ "", NULL },
	{ "   ", NULL },
	{ "<!DOCTYPE Error><Error/>", NULL },
	{ "<A0123456789012345678901234567890/>", NULL },
};

START_TEST(xml_root_is_named)
{
	char name[32] = "x";
	const char *wanted = roots[_i].name;
	const bool found = xml_root(
		roots[_i].text, strlen(roots[_i].text), name, sizeof(name));

	ck_assert(found == (wanted != NULL));
	ck_assert_str_eq(name, wanted ? wanted : "");
	ck_assert_int_eq(parsers, 0);
}
END_TEST

/* A text is as long as it is said to be: there need not be a NUL. */
START_TEST(xml_reads_no_further_than_its_length)
{
	static const char text[] = "<e><C>1</C></e>";
	char *bytes = malloc(sizeof(text) - 1), value[8];

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, text, sizeof(text) - 1);
	ck_assert(xml_find(bytes, sizeof(text) - 1, "C", value, sizeof(value)));
	ck_assert(
		!xml_find(bytes, sizeof(text) - 2, "C", value, sizeof(value)));
	free(bytes);
}
END_TEST

/* A billion times "lol", if one lets it. */
START_TEST(xml_entities_do_not_unfold)
{
	char text[4096], value[8];
	size_t len = 0;

	len += (size_t)snprintf(
		text, sizeof(text), "<!DOCTYPE e [<!ENTITY l0 \"lol\">");
	for (int i = 1; i < 10; i++) {
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "<!ENTITY l%d \"", i);
		for (int n = 0; n < 10; n++)
			len += (size_t)snprintf(
				text + len, sizeof(text) - len, "&l%d;", i - 1);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\">");
	}
	len += (size_t)snprintf(
		text + len, sizeof(text) - len, "]><e><x>&l9;</x><C>1</C></e>");
	ck_assert_uint_lt(len, sizeof(text));
	ck_assert(!xml_find(text, len, "C", value, sizeof(value)));
	ck_assert_str_eq(value, "");
}
END_TEST

/* <e><e>...<C>1</C>...</e></e>, of so many elements one in the other. */
static bool find_at_depth(unsigned int depth)
{
	char text[1024] = "", value[8];

	for (unsigned int i = 1; i < depth; i++)
		strcat(text, "<e>");
	strcat(text, "<C>1</C>");
	for (unsigned int i = 1; i < depth; i++)
		strcat(text, "</e>");
	return xml_find(text, strlen(text), "C", value, sizeof(value));
}

START_TEST(xml_depth_is_limited)
{
	ck_assert(find_at_depth(XML_DEPTH_MAX));
	ck_assert(!find_at_depth(XML_DEPTH_MAX + 1));
}
END_TEST

START_TEST(xml_length_is_limited)
{
	char *text = malloc(XML_LEN_MAX + 1), value[8];

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', XML_LEN_MAX + 1);
	memcpy(text, "<C>1</C>", 8);
	ck_assert(xml_find(text, XML_LEN_MAX, "C", value, sizeof(value)));
	ck_assert(!xml_find(text, XML_LEN_MAX + 1, "C", value, sizeof(value)));
	free(text);
}
END_TEST

START_TEST(xml_without_memory_is_not_found)
{
	char value[8] = "x";

	no_parser = true;
	ck_assert(!xml_find("<C>1</C>", 8, "C", value, sizeof(value)));
	ck_assert_str_eq(value, "");
}
END_TEST

/* Whatever the bytes are, the value is a text in its room. */
START_TEST(xml_of_changed_bytes_stays_in_bounds)
{
	static const char good[] = HEAD
		"<Error " SPACE "><Code>A&amp;B</Code><Message><![CDATA[c]]>"
		"</Message><x:y xmlns:x=\"urn:y\"/><!-- z --></Error>";
	uint64_t state = 1;

	for (int round = 0; round < 20000; round++) {
		char text[sizeof(good)], value[8];
		size_t len = sizeof(good) - 1;

		memcpy(text, good, sizeof(good));
		for (int n = (int)(test_random(&state) % 4); n >= 0; n--)
			text[test_random(&state) % len] =
				(char)test_random(&state);
		if (test_random(&state) % 4 == 0)
			len = test_random(&state) % len;
		memset(value, 'x', sizeof(value));
		if (!xml_find(text, len, "Code", value, sizeof(value)))
			TEST_ASSERT(value[0] == '\0');
		TEST_ASSERT(memchr(value, '\0', sizeof(value)));
		xml_root(text, len, value, sizeof(value));
		TEST_ASSERT(memchr(value, '\0', sizeof(value)));
	}
	ck_assert_int_eq(parsers, 0);
}
END_TEST

static Suite *xml_suite(void)
{
	Suite *suite = suite_create("xml");
	TCase *tc = tcase_create("xml");

	tcase_add_loop_test(tc, xml_elements_are_found, 0, TEST_COUNT(cases));
	tcase_add_loop_test(tc, xml_root_is_named, 0, TEST_COUNT(roots));
	tcase_add_test(tc, xml_reads_no_further_than_its_length);
	tcase_add_test(tc, xml_entities_do_not_unfold);
	tcase_add_test(tc, xml_depth_is_limited);
	tcase_add_test(tc, xml_length_is_limited);
	tcase_add_test(tc, xml_without_memory_is_not_found);
	tcase_add_test(tc, xml_of_changed_bytes_stays_in_bounds);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(xml_suite)

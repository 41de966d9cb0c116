#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signatures of AWS (Version 4, as S3 wants them), made and checked.

  sigv4.py selftest      AWS's own examples, and what has to be refused

As a module it stands in front of a server that is not strict: check() raises
Refused with the reason, as S3 would refuse a request, and in some cases where
S3 would not. The C code is judged by this file, so the two share nothing.
"""

import base64
import datetime
import hashlib
import hmac
import re
import string
import sys
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
# What a request's date may be off, and how long a URL may be good for.
SKEW_S = 900
EXPIRES_MAX_S = 7 * 86400
PLAIN = string.ascii_letters + string.digits + "-._~"


class Refused(Exception):
    """The reason; `code` is what S3 would say."""

    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code


class Keys:
    def __init__(self, key_id, secret, token=None, region="us-east-1",
                 service="s3"):
        self.id, self.secret, self.token = key_id, secret, token
        self.region, self.service = region, service

    def scope(self, date):
        return "/".join((date[:8], self.region, self.service, "aws4_request"))

    def sign(self, date, canonical):
        """The signature of a canonical request."""
        key = b"AWS4" + self.secret.encode()
        for part in self.scope(date).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join((ALGORITHM, date, self.scope(date), digest))
        return hmac.new(key, text.encode(), "sha256").hexdigest()


def encode(raw, keep=""):
    """Bytes or text as S3 encodes them."""
    if isinstance(raw, str):
        raw = raw.encode()
    return "".join(chr(b) if chr(b) in PLAIN + keep else f"%{b:02X}"
                   for b in raw)


def canonical_query(pairs):
    coded = sorted((encode(name), encode(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in coded)


def canonical_request(method, path, pairs, headers, payload):
    """`path` and `pairs` are decoded, the names of `headers` in lower case."""
    lines = [method, encode(path, "/"), canonical_query(pairs)]
    lines += [f"{name}:{' '.join(headers[name].split())}"
              for name in sorted(headers)]
    return "\n".join(lines + ["", ";".join(sorted(headers)), payload])


def authorize(keys, method, path, pairs, headers, payload, date):
    """What the header Authorization is; `headers` are those signed."""
    signature = keys.sign(
        date, canonical_request(method, path, pairs, headers, payload))
    return (f"{ALGORITHM} Credential={keys.id}/{keys.scope(date)}, "
            f"SignedHeaders={';'.join(sorted(headers))}, "
            f"Signature={signature}")


def presign(keys, method, host, path, pairs, date, expires):
    """Path and query of a URL that needs no other secret."""
    pairs = list(pairs) + [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{keys.id}/{keys.scope(date)}"),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(expires)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    if keys.token:
        pairs.append(("X-Amz-Security-Token", keys.token))
    signature = keys.sign(date, canonical_request(
        method, path, pairs, {"host": host}, UNSIGNED))
    return (f"{encode(path, '/')}?{canonical_query(pairs)}"
            f"&X-Amz-Signature={signature}")


# --- checking -----------------------------------------------------------------

AUTHORIZATION = re.compile(
    ALGORITHM + r" Credential=([^/,\s]+)/([^,\s]+), ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")


def must(condition, code, why):
    if not condition:
        raise Refused(code, why)


def split_target(target):
    """Path and parameters of what came over the wire, which is to be as it
    was signed: encoded once, and in no other way than S3's."""
    path, _, query = target.partition("?")
    pairs = []
    for part in query.split("&") if query else []:
        name, _, value = part.partition("=")
        for text in (name, value):
            must(encode(urllib.parse.unquote_to_bytes(text)) == text,
                 "InvalidURI", f"{text} is encoded in another way")
        pairs.append((urllib.parse.unquote_to_bytes(name).decode(),
                      urllib.parse.unquote_to_bytes(value).decode()))
    raw = urllib.parse.unquote_to_bytes(path)
    must(encode(raw, "/") == path and path.startswith("/"), "InvalidURI",
         f"{path} is encoded in another way")
    return raw, pairs


def check_time(date, now, early, late):
    must(re.fullmatch(r"\d{8}T\d{6}Z", date or ""), "AccessDenied",
         f"no date: {date}")
    when = datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z")
    age = now - when.timestamp()
    must(-early <= age, "RequestTimeTooSkewed", f"{-age} s in the future")
    must(age <= late, "RequestTimeTooSkewed", f"{age} s old")


def check_keys(keys, key_id, scope, date, token):
    must(key_id == keys.id, "InvalidAccessKeyId", key_id)
    must(scope == keys.scope(date), "AuthorizationHeaderMalformed",
         f"{scope} is not {keys.scope(date)}")
    must(token == keys.token, "InvalidToken", "another token")


def check_body(headers, body):
    """Whatever sums go with it are right."""
    sums = {
        "content-md5": lambda: hashlib.md5(body).digest(),
        "x-amz-checksum-sha256": lambda: hashlib.sha256(body).digest(),
    }
    for name, digest in sums.items():
        if name in headers:
            must(headers[name] == base64.b64encode(digest()).decode(),
                 "BadDigest", name)


def check_header(keys, method, target, headers, body, now):
    match = AUTHORIZATION.fullmatch(headers["authorization"])
    must(match, "AuthorizationHeaderMalformed", headers["authorization"])
    key_id, scope, names, signature = match.groups()
    date = headers.get("x-amz-date")
    check_time(date, now, SKEW_S, SKEW_S)
    check_keys(keys, key_id, scope, date, headers.get("x-amz-security-token"))
    names = names.split(";")
    must(names == sorted(set(names)), "AuthorizationHeaderMalformed",
         "the signed headers are not in order")
    for name in headers:
        must(name in names or not (name == "host" or
                                   name.startswith("x-amz-")),
             "AccessDenied", f"{name} is not signed")
    must("host" in names and all(name in headers for name in names),
         "AccessDenied", "a signed header is missing")
    payload = headers.get("x-amz-content-sha256")
    must(payload in (UNSIGNED, hashlib.sha256(body).hexdigest()),
         "XAmzContentSHA256Mismatch", payload)
    path, pairs = split_target(target)
    wanted = keys.sign(date, canonical_request(
        method, path, pairs, {name: headers[name] for name in names}, payload))
    must(hmac.compare_digest(wanted, signature), "SignatureDoesNotMatch",
         "Authorization")


def check_query(keys, method, target, headers, now):
    path, pairs = split_target(target)
    query = dict(pairs)
    must(len(query) == len(pairs), "InvalidArgument", "a parameter is twice")
    must(query.get("X-Amz-Algorithm") == ALGORITHM,
         "AuthorizationQueryParametersError", "the algorithm")
    expires = query.get("X-Amz-Expires", "")
    must(expires.isdigit() and 1 <= int(expires) <= EXPIRES_MAX_S,
         "AuthorizationQueryParametersError", f"expires: {expires}")
    date = query.get("X-Amz-Date")
    check_time(date, now, SKEW_S, int(expires))
    key_id, _, scope = query.get("X-Amz-Credential", "").partition("/")
    check_keys(keys, key_id, scope, date, query.get("X-Amz-Security-Token"))
    names = query.get("X-Amz-SignedHeaders", "").split(";")
    must("host" in names and all(name in headers for name in names),
         "AccessDenied", "a signed header is missing")
    for name in headers:
        must(name in names or not name.startswith("x-amz-"), "AccessDenied",
             f"{name} is not signed")
    signature = query.get("X-Amz-Signature", "")
    wanted = keys.sign(date, canonical_request(
        method, path, [p for p in pairs if p[0] != "X-Amz-Signature"],
        {name: headers[name] for name in names}, UNSIGNED))
    must(hmac.compare_digest(wanted, signature), "SignatureDoesNotMatch",
         "X-Amz-Signature")


def check(keys, method, target, headers, body, now):
    """A request as it came over the wire: `target` is path and query,
    `headers` pairs or a dict, `body` bytes, `now` seconds. Raises Refused."""
    lower = {}
    for name, value in (headers.items() if hasattr(headers, "items")
                        else headers):
        must(name.lower() not in lower, "InvalidRequest", f"{name} is twice")
        lower[name.lower()] = value
    if "authorization" in lower:
        must("X-Amz-Signature=" not in target, "InvalidArgument",
             "signed in two ways")
        check_header(keys, method, target, lower, body, now)
    else:
        must("X-Amz-Signature=" in target, "AccessDenied", "not signed")
        check_query(keys, method, target, lower, now)
    check_body(lower, body)


# --- selftest -----------------------------------------------------------------

EMPTY = hashlib.sha256(b"").hexdigest()
S3 = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
S3_DATE, S3_TIME = "20130524T000000Z", 1369353600
S3_HOST = "examplebucket.s3.amazonaws.com"
SUITE = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
             service="service")
SUITE_DATE = "20150830T123600Z"

# Amazon S3 API Reference: method, path, query, headers, payload, signature.
S3_EXAMPLES = (
    ("GET", "/test.txt", [], {"range": "bytes=0-9"}, EMPTY,
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    ("PUT", "/test$file.text", [],
     {"date": "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-storage-class": "REDUCED_REDUNDANCY"},
     hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    ("GET", "/", [("lifecycle", "")], {}, EMPTY,
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    ("GET", "/", [("prefix", "J"), ("max-keys", "2")], {}, EMPTY,
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
)
# Of the test suite.
SUITE_EXAMPLES = (
    ("GET", "/", [], {},
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("POST", "/", [], {},
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("GET", "/", [("Param2", "value2"), ("Param1", "value1")], {},
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ("GET", "/\u1234", [], {},
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ("GET", "/example space/", [], {},
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    ("GET", "/", [], {"my-header1": " value1 ",
                      "my-header2": ' "a   b   c"'},
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
)


def signed_request(body=b"memory", keys=S3, extra=()):
    """One that is right, as it goes over the wire."""
    payload = hashlib.sha256(body).hexdigest()
    headers = {"host": S3_HOST, "x-amz-date": S3_DATE,
               "x-amz-content-sha256": payload, **dict(extra)}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    pairs = [("partNumber", "1"), ("uploadId", "a+b/c=")]
    headers["authorization"] = authorize(
        keys, "PUT", "/a b.lime", pairs, headers, payload, S3_DATE)
    return ("PUT", "/a%20b.lime?partNumber=1&uploadId=a%2Bb%2Fc%3D", headers,
            body)


def refused(request, code, now=S3_TIME, keys=S3):
    try:
        check(keys, *request, now)
    except Refused as why:
        assert why.code == code, f"{why}, not {code}"
    else:
        raise AssertionError(f"not refused, though {code}")


def selftest_examples():
    for method, path, pairs, more, payload, wanted in S3_EXAMPLES:
        headers = {"host": S3_HOST, "x-amz-date": S3_DATE,
                   "x-amz-content-sha256": payload, **more}
        text = authorize(S3, method, path, pairs, headers, payload, S3_DATE)
        assert text.endswith("=" + wanted), text
    for method, path, pairs, more, wanted in SUITE_EXAMPLES:
        headers = {"host": "example.amazonaws.com", "x-amz-date": SUITE_DATE,
                   **more}
        text = authorize(SUITE, method, path, pairs, headers, EMPTY,
                         SUITE_DATE)
        assert text.endswith("=" + wanted), text
    target = presign(S3, "GET", S3_HOST, "/test.txt", [], S3_DATE, 86400)
    assert target.endswith("=aeeed9bbccd4d02ee5c0109b86d86835"
                           "f995330da4c265957d157751f604d404"), target


def selftest_headers():
    method, target, headers, body = signed_request()
    check(S3, method, target, headers, body, S3_TIME)
    check(S3, method, target, headers, body, S3_TIME + SKEW_S)
    for when in (S3_TIME - SKEW_S - 1, S3_TIME + SKEW_S + 1):
        refused((method, target, headers, body), "RequestTimeTooSkewed", when)
    for request, code in (
            (("POST", target, headers, body), "SignatureDoesNotMatch"),
            ((method, target.replace("=1", "=2"), headers, body),
             "SignatureDoesNotMatch"),
            ((method, target.replace("%20", "%2520"), headers, body),
             "SignatureDoesNotMatch"),
            ((method, target.replace("%20", "+"), headers, body),
             "InvalidURI"),
            ((method, target.replace("%2F", "/"), headers, body),
             "InvalidURI"),
            ((method, target.replace("%2F", "%2f"), headers, body),
             "InvalidURI"),
            ((method, target, headers, body + b"x"),
             "XAmzContentSHA256Mismatch"),
            ((method, target, {**headers, "host": "other"}, body),
             "SignatureDoesNotMatch"),
            ((method, target, {**headers, "x-amz-acl": "private"}, body),
             "AccessDenied"),
            ((method, target, {"host": S3_HOST}, body), "AccessDenied"),
            ((method, target, {**headers, "authorization": "AWS x:y"}, body),
             "AuthorizationHeaderMalformed")):
        refused(request, code)
    other = Keys(S3.id, S3.secret + "x")
    refused((method, target, headers, body), "SignatureDoesNotMatch",
            keys=other)
    refused((method, target, headers, body), "InvalidAccessKeyId",
            keys=Keys("x", S3.secret))
    refused((method, target, headers, body), "AuthorizationHeaderMalformed",
            keys=Keys(S3.id, S3.secret, region="eu-central-1"))
    refused((method, target, headers, body), "InvalidToken",
            keys=Keys(S3.id, S3.secret, "t"))


def selftest_sums():
    body = b"memory"
    for name, digest in (("content-md5", "md5"),
                         ("x-amz-checksum-sha256", "sha256")):
        right = base64.b64encode(hashlib.new(digest, body).digest()).decode()
        request = signed_request(body, extra=[(name, right)])
        check(S3, *request, S3_TIME)
        refused(signed_request(body, extra=[(name, right[::-1])]), "BadDigest")


def selftest_query():
    keys = Keys(S3.id, S3.secret, "to/ken+==")
    pairs = [("uploadId", "a+b/c="), ("partNumber", "10")]
    target = presign(keys, "PUT", S3_HOST, "/a b/\u00e4+%.lime", pairs,
                     S3_DATE, 60)
    headers = {"Host": S3_HOST, "Content-Length": "1"}
    request = ("PUT", target, headers, b"x")
    check(keys, *request, S3_TIME + 60)
    refused(request, "RequestTimeTooSkewed", S3_TIME + 61, keys)
    refused(("GET", *request[1:]), "SignatureDoesNotMatch", keys=keys)
    refused(("PUT", target.replace("=10", "=11"), headers, b"x"),
            "SignatureDoesNotMatch", keys=keys)
    refused(("PUT", target.replace("Expires=60", "Expires=61"), headers, b"x"),
            "SignatureDoesNotMatch", keys=keys)
    refused(("PUT", target, {**headers, "X-Amz-Acl": "private"}, b"x"),
            "AccessDenied", keys=keys)
    refused(("PUT", target + "&a=b", headers, b"x"), "SignatureDoesNotMatch",
            keys=keys)
    long = presign(keys, "PUT", S3_HOST, "/x", [], S3_DATE, EXPIRES_MAX_S + 1)
    refused(("PUT", long, headers, b""), "AuthorizationQueryParametersError",
            keys=keys)


def main():
    if sys.argv[1:] != ["selftest"]:
        sys.exit(__doc__)
    for test in (selftest_examples, selftest_headers, selftest_sums,
                 selftest_query):
        test()
        print("ok", test.__name__)


if __name__ == "__main__":
    main()

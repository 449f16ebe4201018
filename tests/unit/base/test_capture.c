/* SPDX-License-Identifier: MIT */
/* What is captured: as much as is kept, its end, and terminals as well as pipes. */
#include "base/process.h"
#include "fixture.h"

TEST(both_kinds)
{
    static const char text[] = "a\n\tb\r\n\003\004";

    for (int kind = CAPTURE_PIPE; kind <= CAPTURE_TERMINAL; kind++) {
        struct capture capture;
        int writer;

        assert_int_equal(capture_open(&capture, (enum capture_kind)kind, &writer), 0);
        assert_int_equal(isatty(writer), kind == CAPTURE_TERMINAL);
        assert_true((fcntl(writer, F_GETFD) & FD_CLOEXEC) != 0);
        assert_true((fcntl(capture.fd, F_GETFD) & FD_CLOEXEC) != 0);
        capture_read(&capture); /* nothing is there, and nothing is waited for */
        assert_int_equal(utstring_len(&capture.text), 0);
        assert_int_equal(write(writer, text, sizeof(text)), sizeof(text));
        capture_read(&capture);
        assert_int_equal(utstring_len(&capture.text), sizeof(text));
        assert_memory_equal(utstring_body(&capture.text), text, sizeof(text));
        assert_true(capture.fd >= 0);
        close(writer);
        capture_read(&capture);
        assert_int_equal(capture.fd, -1);
        assert_int_equal(capture.error, 0);
        capture_free(&capture);
        capture_free(&capture);
    }
}

/* Whoever else holds the other end. */
TEST(finish)
{
    struct capture capture;
    char text[60000];
    int writer;

    memset(text, 'x', sizeof(text));
    assert_int_equal(capture_open(&capture, CAPTURE_PIPE, &writer), 0);
    assert_int_equal(write(writer, text, sizeof(text)), sizeof(text));
    capture_finish(&capture);
    assert_int_equal(utstring_len(&capture.text), sizeof(text));
    assert_int_equal(capture.fd, -1);
    close(writer);
    capture_free(&capture);
}

TEST(bound)
{
    struct capture capture;
    char text[65536];
    int writer;

    memset(text, 'x', sizeof(text));
    assert_int_equal(capture_open(&capture, CAPTURE_PIPE, &writer), 0);
    for (size_t total = 0; total < CAPTURE_MAXIMUM; total += sizeof(text)) {
        assert_int_equal(write(writer, text, sizeof(text)), sizeof(text));
        capture_read(&capture);
    }
    assert_int_equal(utstring_len(&capture.text), CAPTURE_MAXIMUM);
    assert_false(capture.truncated);
    assert_int_equal(write(writer, text, 1), 1);
    close(writer);
    capture_finish(&capture);
    assert_int_equal(utstring_len(&capture.text), CAPTURE_MAXIMUM);
    assert_true(capture.truncated);
    capture_free(&capture);
    assert_true(capture.truncated);
}

TEST(no_descriptor)
{
    struct capture capture;
    int writer;
    struct rlimit before = fixture_limit_descriptors(0);
    int pipe_error = capture_open(&capture, CAPTURE_PIPE, &writer);
    int terminal_error = capture_open(&capture, CAPTURE_TERMINAL, &writer);

    fixture_restore_descriptors(before);
    assert_int_equal(pipe_error, EMFILE);
    assert_int_equal(terminal_error, EMFILE);
    capture_free(&capture);
}

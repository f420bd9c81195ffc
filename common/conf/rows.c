/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The words that values may be.
 */

#include "common/conf/rows.h"

#include "common/base/backend_choice.h"

const struct conf_choices conf_token_sources =
	CONF_CHOICES({ "", CONF_TOKEN_INLINE, false },
		{ "file", CONF_TOKEN_FILE, false }, { "exec", -1, true });

const struct conf_choices conf_auth_scopes =
	CONF_CHOICES({ "HeartBeats", CONF_SCOPE_HEARTBEATS, false },
		{ "NewWorkConns", CONF_SCOPE_WORK_CONNS, false });

const struct conf_choices conf_log_levels =
	CONF_CHOICES({ "trace", LOG_TRACE, false },
		{ "debug", LOG_DEBUG, false }, { "info", LOG_INFO, false },
		{ "warn", LOG_WARN, false }, { "error", LOG_ERROR, false });

const struct conf_choices conf_log_formats =
	CONF_CHOICES({ "text", LOG_TEXT, false }, { "json", LOG_JSON, false });

const struct conf_choices conf_relays = CONF_CHOICES(
	{ "auto", CONF_RELAY_AUTO, false }, { "copy", CONF_RELAY_COPY, false },
	{ "splice", CONF_RELAY_SPLICE, false });

const struct conf_choices conf_encryptions =
	CONF_CHOICES({ "auto", CONF_ENCRYPTION_AUTO, false },
		{ "always", CONF_ENCRYPTION_ALWAYS, false },
		{ "never", CONF_ENCRYPTION_NEVER, false });

const struct conf_choices conf_backends =
	CONF_CHOICES({ "auto", BACKEND_AUTO, false },
		{ "io_uring", BACKEND_IO_URING, false },
		{ "epoll", BACKEND_EPOLL, false });

const struct conf_choices conf_workers = CONF_CHOICES({ "auto", 0, false });

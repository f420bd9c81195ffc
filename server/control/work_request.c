/* SPDX-License-Identifier: Apache-2.0 */

#include "server/control/work_request.h"

#include "common/base/log.h"
#include "common/wire/capability.h"
#include "server/control/control.h"
#include "server/control/matchmaker.h"
#include "server/link/tickets.h"
#include "server/worker.h"

/* Work connections asked for in one message at most. */
#define REQUEST_MAX 256

void work_request_expect(struct matchmaker *m, uint32_t n)
{
	struct control *c = m->control;

	if (!control_is_bound(c))
		half_open_expect(&c->worker->server->half_open, c->address,
			(int32_t)(n - m->outstanding));
	m->outstanding = n;
}

/* Put as many tickets into the message, n at most; how many. */
static uint32_t put_tickets(struct matchmaker *m, uint32_t n,
	struct message_tickets *t, char texts[][TICKET_TEXT],
	const char *list[])
{
	bool plain = m->kind == WORK_PLAIN;
	uint8_t ticket[TICKET_SIZE];
	uint32_t i = 0;

	while (i < n && tickets_issue(m->control->tickets,
				plain ? TICKET_PLAIN : TICKET_TLS,
				matchmaker_loop(m)->now, ticket)) {
		ticket_text_write(texts[i], ticket);
		list[i] = texts[i];
		i++;
	}
	t->present = true;
	t->t.items = list;
	t->t.count = i;
	t->k = plain ? TICKETS_PLAIN : "";
	return i;
}

bool work_request(struct matchmaker *m, uint32_t *n_io)
{
	struct message ask = { .type = MESSAGE_REQ_WORK_CONN };
	struct control *c = m->control;
	char texts[REQUEST_MAX][TICKET_TEXT];
	const char *list[REQUEST_MAX];
	uint32_t n = *n_io;

	if (c->tickets)
		n = *n_io =
			put_tickets(m, n, &ask.req_work_conn.adit, texts, list);
	if (n == 0)
		return true;
	ask.req_work_conn.count = n > 1 ? n : 0;
	demand_asked(&m->demand, matchmaker_loop(m)->now, m->outstanding);
	m->last_request = matchmaker_loop(m)->now;
	work_request_expect(m, m->outstanding + n);
	count(&c->worker->core.counters, work_requests);
	return control_send(c, &ask);
}

/* What was asked for has not come. */
static void give_up(struct matchmaker *m)
{
	if (m->kind == WORK_PLAIN && m->outstanding > 0) {
		log_warn("[%.4s] work connections without TLS do not come: "
			 "does something on the way let pass TLS only? Then "
			 "transport.dataEncryption: always",
			m->control->run_id);
		m->proven = false;
	}
	work_request_expect(m, m->demand.ahead = 0);
}

/* With one turn's wishes together: as few messages as can be. */
static void ask(struct timer *t)
{
	struct matchmaker *m = container_of(t, struct matchmaker, ask);
	struct control *c = m->control;
	uint32_t have, want, most;

	if (c->state != CONTROL_RUNNING)
		return;
	want = (matchmaker_has_pool(m) ? m->pool : 0) + m->wish_count;
	/* Requests that were lost on the client's side are made again. */
	if (matchmaker_loop(m)->now - m->last_request > MATCHMAKER_REQUEST_TIME)
		give_up(m);
	have = m->offer_count + m->outstanding;
	most = c->caps & CAPABILITY_several ? REQUEST_MAX : 1;
	while (have < want) {
		uint32_t n = want - have < most ? want - have : most;

		if (!work_request(m, &n) || n == 0)
			return;
		have += n;
	}
}

void work_request_soon(struct matchmaker *m)
{
	if (!timer_is_set(&m->ask))
		loop_set_timer(matchmaker_loop(m), &m->ask, 0, ask);
}

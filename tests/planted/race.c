/* SPDX-License-Identifier: Apache-2.0 */

/* A planted bug: the thread job must report it. */

#include <pthread.h>
#include <stddef.h>

static int shared;

static void *add(void *arg)
{
	for (int i = 0; i < 1000; i++)
		shared++;
	return arg;
}

int main(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, add, NULL))
		return 1;
	add(NULL);
	pthread_join(t, NULL);
	return 0;
}

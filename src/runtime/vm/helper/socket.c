/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: the runtime has none, so no lookup finds one.  Programs that ask must be ready for
 * that: in the kernel, too, there may be no such socket.
 */
#include "runtime/vm/helper/calls.h"

CALL(helper_sk_lookup_tcp)
{
	return 0;
}

CALL(helper_sk_lookup_udp)
{
	return 0;
}

CALL(helper_skc_lookup_tcp)
{
	return 0;
}

CALL(helper_sk_release)
{
	return 0;
}

CALL(helper_sk_fullsock)
{
	return 0;
}

CALL(helper_tcp_sock)
{
	return 0;
}

CALL(helper_get_listener_sock)
{
	return 0;
}

package live

import (
	"hash/maphash"
	"sync"
)

// topics knows who listens to what. One lock per shard is held while a push is queued at its listeners: that never
// waits for a socket, and gives all listeners of a topic the same order.
type topics struct {
	seed   maphash.Seed
	shards [64]topicShard
}

type topicShard struct {
	mu        sync.Mutex
	audiences map[Topic]*audience
}

// audience is the listeners of one topic.
type audience struct{ members []*subscription }

// subscription is one session in one audience. It knows its place so that leaving a large audience is quick.
type subscription struct {
	session *Session
	topic   Topic
	place   int
}

func newTopics() *topics {
	t := &topics{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].audiences = make(map[Topic]*audience)
	}
	return t
}

func (t *topics) shard(topic Topic) *topicShard {
	return &t.shards[maphash.Comparable(t.seed, topic)%uint64(len(t.shards))]
}

// listening tells whether anybody in this process listens.
func (t *topics) listening(topic Topic) bool {
	shard := t.shard(topic)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return shard.audiences[topic] != nil
}

// add makes the session a listener; a second time changes nothing.
func (t *topics) add(s *Session, topic Topic) error {
	shard := t.shard(topic)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	sub := &subscription{session: s, topic: topic}
	if added, err := s.remember(sub); err != nil || !added {
		return err
	}
	a := shard.audiences[topic]
	if a == nil {
		a = &audience{}
		shard.audiences[topic] = a
	}
	sub.place = len(a.members)
	a.members = append(a.members, sub)
	return nil
}

func (t *topics) remove(sub *subscription) {
	shard := t.shard(sub.topic)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	a := shard.audiences[sub.topic]
	last := len(a.members) - 1
	moved := a.members[last]
	a.members[sub.place] = moved
	moved.place = sub.place
	a.members[last] = nil
	a.members = a.members[:last]
	if last == 0 {
		delete(shard.audiences, sub.topic)
	}
}

// each calls visit for every listener, in one order for all callers. visit must not wait.
func (t *topics) each(topic Topic, visit func(*Session)) {
	shard := t.shard(topic)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	a := shard.audiences[topic]
	if a == nil {
		return
	}
	for _, sub := range a.members {
		visit(sub.session)
	}
}

package bucket

// Sign is what every request is signed with.
var Sign = sign

// InParts makes the parts of an upload and of a download as small as a test's files.
func (b *Bucket) InParts(bytes int) { b.part = bytes }

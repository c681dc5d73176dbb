package inbox

// Wake runs the job that opens a snoozed conversation.
var Wake = (*Service).wake

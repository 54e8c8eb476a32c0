package com.example;

import org.apache.commons.compress.utils.IOUtils;
import org.apache.commons.io.FilenameUtils;

public final class Delta {
    public static void main(String[] arguments) {
        System.out.println(FilenameUtils.getBaseName("a/" + IOUtils.class.getName()));
    }
}
